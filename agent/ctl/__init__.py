"""What leaves here: signed commands of a person and the verified receipts for them; a lab to try it all by hand."""

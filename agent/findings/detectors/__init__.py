"""Drafts of findings leave here, one file for each kind; the engine folds them before they are findings."""

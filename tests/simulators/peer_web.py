"""A FHIR server over HTTPS, as a program of its own: `python -m tests.simulators.peer_web KEY CERT PORT`."""

import json
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATIENT = ("QUILLFEATHER", "ORSOLYA", "WT7740193V")  # a test looks for them in what the sensor says
RESOURCE = {
    "resourceType": "Patient",
    "id": PATIENT[2],
    "name": [{"family": PATIENT[0], "given": [PATIENT[1]]}],
}


class Fhir(BaseHTTPRequestHandler):
    """Every question is answered with the one patient."""

    def do_GET(self) -> None:
        """HL7 FHIR R4 section 3.1.0.1, read."""
        body = json.dumps(RESOURCE).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[1])
    server = ThreadingHTTPServer(("", int(sys.argv[3])), Fhir)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()

"""HTTP/1.0 and HTTP/1.1 on any port (RFC 9110, RFC 9112).

`head.py` reads start lines and headers, `parser.py` frames messages and bodies, `tables.py` holds constants, limits and
anomalies.
"""

from typing import Final

from sensor.interfaces import ProbeAnswer, ProtocolSpec
from sensor.model import TO_SERVER
from sensor.protocols.http1.head import begins_request, begins_response
from sensor.protocols.http1.parser import Http1
from sensor.protocols.http1.tables import ANOMALIES, LIMITS

PROBE_DEPTH: Final = 2048


def probe(data: bytes, direction: int) -> ProbeAnswer:
    """A request line to the server, a status line to the client."""
    answer = begins_request(data) if direction == TO_SERVER else begins_response(data)
    return "more" if answer is None else "yes" if answer else "no"


PROTOCOL = ProtocolSpec(
    name="http",
    transport="tcp",
    ports=(80, 8000, 8080, 8081, 8888, 3128),
    probe=probe,
    probe_depth=PROBE_DEPTH,
    specificity=50,
    parser=Http1,
    accepts_gaps=True,
    limits=LIMITS,
    anomalies=ANOMALIES,
    restores="HTTP/1.0 and 1.1 transactions; bodies, URLs and headers as content; uploads, downloads, ranges, trailers",
    does_not="HTTP/2, WebSocket and what follows CONNECT or Upgrade (probed again); HTTP/0.9",
)

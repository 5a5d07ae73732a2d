"""HTTP/1.x constants: methods, framing of responses, headers that carry no content of people, limits, anomalies."""

from typing import Final

from sensor.interfaces import AnomalyKind
from sensor.limits import Limit

# Methods that begin a flow beyond doubt (IANA HTTP method registry, WebDAV included); the parser accepts any token.
METHODS: Final = frozenset(
    {
        *(b"GET", b"POST", b"PUT", b"HEAD", b"DELETE", b"OPTIONS", b"PATCH", b"CONNECT", b"TRACE"),
        *(b"PROPFIND", b"PROPPATCH", b"MKCOL", b"COPY", b"MOVE", b"LOCK", b"UNLOCK", b"REPORT", b"SEARCH", b"MERGE"),
        *(
            b"CHECKOUT",
            b"CHECKIN",
            b"MKACTIVITY",
            b"VERSION-CONTROL",
            b"ACL",
            b"BIND",
            b"LINK",
            b"UNLINK",
            b"MKCALENDAR",
        ),
        *(b"NOTIFY", b"SUBSCRIBE", b"UNSUBSCRIBE", b"M-SEARCH", b"PURGE", b"QUERY", b"POLL", b"BITS_POST", b"CCM_POST"),
        *(b"RPC_IN_DATA", b"RPC_OUT_DATA", b"BPROPPATCH", b"BPROPFIND", b"BCOPY", b"BMOVE", b"BDELETE"),
    }
)
NO_BODY_STATUS: Final = frozenset({204, 304})  # RFC 9110 sections 15.3.5, 15.4.5; 1xx besides

# Headers of the machinery: never content. All others are inspected as the field `http:request.headers` or `…response…`.
TECHNICAL: Final = frozenset(
    {
        *(b"accept", b"accept-charset", b"accept-encoding", b"accept-language", b"accept-ranges", b"age", b"allow"),
        *(
            b"alt-svc",
            b"cache-control",
            b"connection",
            b"content-disposition",
            b"content-encoding",
            b"content-language",
        ),
        *(b"content-length", b"content-range", b"content-security-policy", b"content-type", b"date", b"dnt", b"etag"),
        *(b"expect", b"expires", b"host", b"if-match", b"if-modified-since", b"if-none-match", b"if-range"),
        *(
            b"if-unmodified-since",
            b"keep-alive",
            b"last-modified",
            b"max-forwards",
            b"nel",
            b"origin",
            b"p3p",
            b"pragma",
        ),
        *(b"proxy-connection", b"range", b"referrer-policy", b"report-to", b"retry-after", b"server", b"server-timing"),
        *(b"strict-transport-security", b"te", b"timing-allow-origin", b"trailer", b"transfer-encoding", b"upgrade"),
        *(b"upgrade-insecure-requests", b"user-agent", b"vary", b"via", b"www-authenticate", b"x-cache"),
        *(
            b"x-content-type-options",
            b"x-frame-options",
            b"x-powered-by",
            b"x-xss-protection",
            b"content-md5",
            b"digest",
        ),
    }
)
TECHNICAL_PREFIXES: Final = (b"access-control-", b"sec-")

LIMITS: Final = (
    Limit(
        "http1_head_bytes",
        65536,
        "bytes",
        "skip",
        "http1_head_too_long",
        "Start line and headers of one message; servers accept 8 to 64 KiB. Beyond, it is inspected as raw content.",
    ),
    Limit(
        "http1_line_bytes",
        8192,
        "bytes",
        "skip",
        "http1_bad_chunk",
        "A chunk-size line with its extensions, or one trailer line; servers accept far less.",
    ),
    Limit(
        "http1_pending_requests",
        1000,
        "count",
        "drop-oldest",
        "http1_too_many_requests",
        "Requests of one flow waiting for their responses; the oldest is logged without one.",
    ),
)
ANOMALIES: Final = (
    AnomalyKind(
        "http1_head_too_long",
        "medium",
        "Start line and headers of a message are longer than the limit; they were inspected as raw content.",
        "Raise http1_head_bytes if your applications send such heads.",
    ),
    AnomalyKind(
        "http1_bad_chunk",
        "medium",
        "A chunk size is not a hexadecimal number; the rest of the body was inspected without its framing.",
        "Usual cause: loss on the mirror port. Else look at the sender: broken framing evades inspection.",
    ),
    AnomalyKind(
        "http1_too_many_requests",
        "low",
        "Many requests without responses on one flow; the oldest were logged without a response.",
        "Usual cause: only one direction reaches the mirror port.",
    ),
    AnomalyKind(
        "http1_bad_start_line",
        "low",
        "Where a message should begin stood something else; it was inspected as raw content up to the next message.",
        "Usual cause: loss on the mirror port, or a capture that begins in the middle.",
    ),
    AnomalyKind(
        "http1_length_conflict",
        "medium",
        "A message has contradicting lengths (RFC 9112 section 6.3); Transfer-Encoding, else the first, was followed.",
        "Look at the sender: contradicting lengths are a way to smuggle requests past inspection.",
    ),
    AnomalyKind(
        "http1_bad_length",
        "medium",
        "A Content-Length is not a number; the body was taken to end with the flow.",
        "Look at the sender.",
    ),
    AnomalyKind(
        "http1_bad_header",
        "info",
        "A header line without a name was passed over.",
        "None needed; servers do the same.",
    ),
)

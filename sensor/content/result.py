"""ContentResult: what is known of one content when it is over, and how scan results of one content add up."""

import msgspec

from detectors.model import ScanResult


class ContentResult(msgspec.Struct):
    """One finished content: a body, a file, a field, a part of a form, a member of a container.

    Attributes:
        part, direction, tx: the part of the flow it came in (members: that of their container).
        path: where it stood; members of containers follow `!` (`http:request.body/multipart:file=a.zip!b/c.csv`).
        media_type: as declared, may lie. `detected_type`: by its first bytes, empty when nothing is sure.
        name: file name, if any.
        size: decoded bytes seen.
        md5, sha1, sha256: lower-case hex of those bytes; empty when not asked for.
        complete: nothing of it was cut off, lost or left out.
        is_field: a short piece such as a URL, a header or a form field; not listed as a content.
        gap_bytes: bytes known to be missing from the capture.
        skipped: (reason, bytes) of what was not searched; reasons come from a closed set.
        scan: what the detectors found; None when it was not scanned, or only through its members.
        members: contents found inside it.
        depth: containers around it.
    """

    part: int
    direction: int
    tx: int
    path: str
    media_type: str = ""
    detected_type: str = ""
    name: str = ""
    size: int = 0
    md5: str = ""
    sha1: str = ""
    sha256: str = ""
    complete: bool = True
    is_field: bool = False
    gap_bytes: int = 0
    skipped: tuple[tuple[str, int], ...] = ()
    scan: ScanResult | None = None
    members: int = 0
    depth: int = 0

    def skip(self, reason: str, size: int) -> None:
        """Count `size` bytes as not searched."""
        if size > 0:
            rows = dict(self.skipped)
            rows[reason] = rows.get(reason, 0) + size
            self.skipped = tuple(sorted(rows.items()))


def add_scans(left: ScanResult | None, right: ScanResult | None) -> ScanResult | None:
    """Two scans of different bytes of one content as one."""
    if left is None or right is None:
        return left or right
    tests = dict(left.test_values)
    for entity, count in right.test_values.items():
        tests[entity] = tests.get(entity, 0) + count
    return ScanResult(
        left.findings + right.findings,
        left.links + right.links,
        left.inspected_bytes + right.inspected_bytes,
        tests,
        left.overflow + right.overflow,
    )

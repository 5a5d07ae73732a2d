"""Country databases: from an .mmdb file to merged ranges, and the derived table that loads in milliseconds.

Reading walks every network of the file once (seconds for the vendored ones), so the result is kept as .npz: beside
the vendored files, made by `python -m geoip.mmdb`; for an operator's file, in the cache folder under the file's hash.
"""

import contextlib
import hashlib
import lzma
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import maxminddb
import numpy as np

from geoip.ranges import Ranges4, Ranges6

DATA: Final = Path(__file__).parent / "data"
VENDORED: Final = {"default": "dbip-country", "second": "geo-whois-asn-country"}
SOURCES: Final = {
    "default": "DB-IP Lite country (CC BY 4.0, https://db-ip.com)",
    "second": "geo-whois-asn-country (NRO statistics)",
}
MAX_CODES: Final = 253  # one byte a code; 254 and 255 are taken by ranges.py, one is left for the zone `special`
FORMAT: Final = 1  # of the derived table


class DatabaseError(Exception):
    """A country database cannot be used; says which and why."""


class Countries:
    """One database.

    Attributes:
        names: code → ISO 3166-1 alpha-2; 0 is "" (unknown).
        v4, v6: merged ranges.
        source: name for people.
        sha256: of the .mmdb file.
        build_date: of the database, ISO date.
    """

    def __init__(
        self, names: tuple[str, ...], v4: Ranges4, v6: Ranges6, *, source: str, sha256: str, build_date: str
    ) -> None:
        self.names, self.v4, self.v6 = names, v4, v6
        self.source, self.sha256, self.build_date = source, sha256, build_date

    def country(self, high: int, low: int) -> str:
        """Country of one address (IPv4 as IPv4-mapped IPv6)."""
        if high == 0 and low >> 32 == 0xFFFF:
            address = np.uint32(low & 0xFFFFFFFF)  # a plain int would have all starts converted for each lookup
            return self.names[int(self.v4.code[int(np.searchsorted(self.v4.start, address, "right")) - 1])]
        return self.names[int(self.v6.codes(np.array([high], np.uint64), np.array([low], np.uint64))[0])]


def from_networks(rows: Iterable[tuple[Any, str]], *, source: str, sha256: str, build_date: str) -> Countries:
    """Merge (ipaddress network, country) rows, sorted by address, into ranges; what they leave out is unknown."""
    codes: dict[str, int] = {"": 0}
    starts: dict[int, list[int]] = {4: [0], 6: [0]}
    values: dict[int, list[int]] = {4: [0], 6: [0]}
    ends = {4: 0, 6: 0}
    for network, country in rows:
        family = network.version
        low = int(network.network_address)
        code = codes.setdefault(country, len(codes))
        start, value = starts[family], values[family]
        if low > ends[family] and value[-1] != 0:
            start.append(ends[family])
            value.append(0)
        if value[-1] != code:
            if start[-1] == low:
                value[-1] = code
                if len(value) > 1 and value[-2] == code:
                    start.pop()
                    value.pop()
            else:
                start.append(low)
                value.append(code)
        ends[family] = low + (1 << (network.max_prefixlen - network.prefixlen))
    for family, top in ((4, 1 << 32), (6, 1 << 128)):
        if ends[family] < top and values[family][-1] != 0:
            starts[family].append(ends[family])
            values[family].append(0)
    if len(codes) > MAX_CODES:
        raise DatabaseError(f"{source}: {len(codes)} countries; at most {MAX_CODES} fit")
    v4 = Ranges4(np.array(starts[4], np.uint32), np.array(values[4], np.uint8))
    high = np.array([at >> 64 for at in starts[6]], np.uint64)
    low6 = np.array([at & (1 << 64) - 1 for at in starts[6]], np.uint64)
    v6 = Ranges6(high, low6, np.array(values[6], np.uint8))
    return Countries(tuple(codes), v4, v6, source=source, sha256=sha256, build_date=build_date)


def read_mmdb(path: Path, source: str) -> Countries:
    """Read a database file: GeoLite2/GeoIP2 (`country.iso_code`), or a flat `country_code` or `country`.

    Raises:
        DatabaseError: it is not a country database.
    """
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    try:
        with maxminddb.open_database(str(path)) as reader:
            epoch = int(reader.metadata().build_epoch)
            rows = ((network, _country(record)) for network, record in reader)
            date = time.strftime("%Y-%m-%d", time.gmtime(epoch))
            found = from_networks(rows, source=source, sha256=digest, build_date=date)
    except (maxminddb.InvalidDatabaseError, ValueError) as error:
        raise DatabaseError(f"{path}: not a country database (.mmdb): {error}") from None
    if len(found.names) == 1:
        raise DatabaseError(f"{path}: holds no countries; give a country database")
    return found


def _country(record: Any) -> str:
    if not isinstance(record, dict):
        return ""
    code = record.get("country_code")
    if code is None:
        code = record.get("country") or record.get("registered_country")  # some makers write the code there plainly
        code = code.get("iso_code") if isinstance(code, dict) else code
    return code.upper() if isinstance(code, str) and len(code) == 2 else ""


def save(table: Countries, path: Path) -> None:
    """Write the derived table."""
    about = np.array([str(FORMAT), table.source, table.sha256, table.build_date, *table.names])
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as draft:
        np.savez_compressed(
            draft,
            about=about,
            # differences compress better than starts
            v4_start=np.diff(table.v4.start, prepend=np.uint32(0)),
            v4_code=table.v4.code,
            v6_high=np.diff(table.v6.high, prepend=np.uint64(0)),
            v6_low=table.v6.low,
            v6_code=table.v6.code,
        )
    Path(draft.name).replace(path)
    path.chmod(0o644)


def load(path: Path) -> Countries:
    """Read a derived table.

    Raises:
        DatabaseError: it is damaged or of another format.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            form, source, sha256, date, *names = data["about"].tolist()
            if form != str(FORMAT):
                raise DatabaseError(f"{path}: format {form}, expected {FORMAT}")
            v4 = Ranges4(np.cumsum(data["v4_start"], dtype=np.uint32), data["v4_code"])
            v6 = Ranges6(np.cumsum(data["v6_high"], dtype=np.uint64), data["v6_low"], data["v6_code"])
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DatabaseError(f"{path}: derived table is unreadable: {error}") from None
    return Countries(tuple(names), v4, v6, source=source, sha256=sha256, build_date=date)


def open_countries(where: str, cache: Path) -> Countries:
    """`default`, `second`, or the path of an .mmdb file.

    Raises:
        DatabaseError: missing, unreadable, or not a country database.
    """
    if where in VENDORED:
        return load(DATA / f"{VENDORED[where]}.npz")
    path = Path(where)
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise DatabaseError(f"{path}: cannot be read: {error.strerror}") from None
    derived = cache / f"geo-{FORMAT}-{digest[:32]}.npz"
    if derived.exists():
        try:
            return load(derived)
        except DatabaseError:
            with contextlib.suppress(OSError):  # another worker may be first, the folder may be read-only
                derived.unlink()  # a cut write; made anew below
    table = read_mmdb(path, path.name)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        save(table, derived)
    except OSError:
        return table  # no cache, only slower next time
    return table


def main() -> None:
    """Derive the vendored tables from the vendored databases."""
    for key, name in VENDORED.items():
        with tempfile.NamedTemporaryFile(suffix=".mmdb") as plain:
            plain.write(lzma.decompress((DATA / f"{name}.mmdb.xz").read_bytes()))
            plain.flush()
            table = read_mmdb(Path(plain.name), SOURCES[key])
        save(table, DATA / f"{name}.npz")
        sizes = f"{len(table.v4.start)} IPv4 and {len(table.v6.high)} IPv6 ranges"
        sys.stdout.write(f"{name}: {sizes}, {len(table.names) - 1} countries, {table.build_date}\n")


if __name__ == "__main__":
    main()

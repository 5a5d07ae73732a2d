"""Makes tests/data/demo.pcapng: real clients and servers, synthetic people, addresses rewritten afterwards.

Needs root, iproute2, tcpdump, nginx, curl and openssl (Debian packages). Two network namespaces joined by a veth pair
stand for an office and the world outside; each address below is bound inside them, so nothing leaves the machine.
curl talks to nginx (plain and TLS), tcpdump records, and the private addresses of the namespaces are then rewritten
to the public ones of the story (checksums updated), because private addresses have no country. People are invented:
numbers have valid check digits and belong to nobody. Seeded, but times and TCP details are those of the run, so the
capture is shipped rather than rebuilt by the tests.

    sudo python tests/data/make_demo.py tests/data/demo.pcapng
"""

import gzip
import ipaddress
import json
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from traffic import html_page, person

# private address in the namespace -> address of the story
STORY = {
    "10.99.0.11": "218.30.64.17",  # web shop in Beijing
    "10.99.0.12": "10.20.30.45",  # an office PC (private: stays as it is in the story)
    "10.99.0.13": "124.74.12.90",  # partner in Shanghai
    "10.99.0.21": "52.95.110.33",  # API in the United States
    "10.99.0.22": "203.116.80.7",  # analyst in Singapore
    "10.99.0.23": "185.60.216.9",  # file server in Ireland
    "10.99.0.24": "147.8.17.40",  # subsidiary in Hong Kong
    "10.99.0.25": "133.242.0.66",  # supplier in Japan
    "10.99.0.26": "113.96.200.5",  # head office in Guangzhou, behind the same mirror port
}
NEAR, FAR = "btd-near", "btd-far"
NGINX = """
worker_processes 1; daemon on; pid {root}/nginx.pid; error_log {root}/error.log;
events {{ }}
http {{
  access_log off; default_type application/octet-stream; client_max_body_size 40m; client_body_temp_path {root}/tmp;
  types {{ text/html html; text/csv csv; application/json json; image/png png; }}
  gzip on; gzip_types text/csv application/json text/html; gzip_min_length 100;
  server {{
    listen 80; listen 8080; listen 443 ssl; ssl_certificate {root}/cert.pem; ssl_certificate_key {root}/key.pem;
    root {root}/www;
    location /api/ {{ default_type application/json; return 200 '{{"ok":true}}'; }}
    location /dav/ {{ dav_methods PUT; create_full_put_path on; }}
  }}
}}
"""


def run(*command: str, check: bool = True) -> None:
    subprocess.run(command, check=check, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def curl(namespace: str, source: str, *arguments: str) -> None:
    run(
        "ip",
        "netns",
        "exec",
        namespace,
        "curl",
        "-sk",
        "--max-time",
        "20",
        "--interface",
        source,
        "-o",
        "/dev/null",
        *arguments,
    )


def namespaces() -> None:
    for name in (NEAR, FAR):
        run("ip", "netns", "del", name, check=False)
        run("ip", "netns", "add", name)
    run("ip", "link", "add", "btd0", "netns", NEAR, "type", "veth", "peer", "name", "btd1", "netns", FAR)
    for name, link, octets in ((NEAR, "btd0", (11, 12, 13)), (FAR, "btd1", (21, 22, 23, 24, 25, 26))):
        for octet in octets:
            run("ip", "-n", name, "addr", "add", f"10.99.0.{octet}/24", "dev", link)
        run("ip", "-n", name, "link", "set", link, "up")
        run("ip", "-n", name, "link", "set", "lo", "up")
        run("ip", "netns", "exec", name, "ethtool", "-K", link, "tso", "off", "gso", "off", "gro", "off", check=False)


def customers(rng: random.Random, count: int) -> list[dict[str, str]]:
    return [person(rng) for _ in range(count)]


def csv_text(rows: list[dict[str, str]]) -> str:
    return "姓名,身份证号,手机号,邮箱,银行卡号\n" + "".join(",".join(row.values()) + "\n" for row in rows)


def documents(root: Path, rng: random.Random) -> None:
    """Everything that is uploaded or downloaded."""
    www, up = root / "www", root / "up"
    for folder in (www, up, www / "dav", root / "tmp"):
        folder.mkdir()
    for number in range(30):
        (www / f"page{number}.html").write_bytes(html_page(rng))
    (www / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + rng.randbytes(300_000))
    (www / "stock.csv").write_text(
        "sku,qty,price\n"
        + "".join(f"{rng.getrandbits(40)},{rng.randint(1, 99)},{rng.random() * 90:.2f}\n" for _ in range(4000))
    )
    (www / "members.csv").write_text(csv_text(customers(rng, 180)), "utf-8")
    (up / "crm.json").write_text(
        json.dumps({"source": "crm", "customers": customers(rng, 60)}, ensure_ascii=False), "utf-8"
    )
    (up / "escaped.json").write_text(json.dumps({"rows": customers(rng, 12)}), "utf-8")
    (up / "salary.csv").write_bytes(csv_text(customers(rng, 40)).encode("gb18030"))
    (up / "backup.csv").write_text(csv_text(customers(rng, 320)), "utf-8")
    with zipfile.ZipFile(up / "clients.zip", "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("customers.csv", csv_text(customers(rng, 75)))
        pack.writestr("readme.txt", "export of the week\n")
    (up / "telemetry.json.gz").write_bytes(
        gzip.compress(json.dumps([{"t": rng.getrandbits(41), "v": rng.random()} for _ in range(3000)]).encode())
    )


def story(root: Path, rng: random.Random) -> None:
    """What happens, in order; ordinary traffic in between."""
    up = root / "up"

    def browse(namespace: str, source: str, server: str, count: int) -> None:
        urls = [f"http://{server}/page{rng.randrange(30)}.html" for _ in range(count)]
        curl(namespace, source, "--compressed", *[part for url in urls for part in ("-o", "/dev/null", url)])

    browse(NEAR, "10.99.0.12", "10.99.0.21", 12)
    curl(
        NEAR,
        "10.99.0.12",
        "-H",
        "Content-Type: application/json",
        "--data-binary",
        f"@{up}/crm.json",
        "http://10.99.0.21/api/v2/sync?batch=17",
    )
    browse(NEAR, "10.99.0.12", "10.99.0.25", 8)
    curl(FAR, "10.99.0.22", "--compressed", "http://10.99.0.11/members.csv")
    curl(FAR, "10.99.0.22", "http://10.99.0.11/photo.png")
    curl(
        NEAR,
        "10.99.0.13",
        "-F",
        "note=月度名单",
        "-F",
        f"file=@{up}/salary.csv;type=text/csv",
        "http://10.99.0.24/api/upload",
    )
    curl(NEAR, "10.99.0.12", "-T", f"{up}/backup.csv", "http://10.99.0.23:8080/dav/2026/backup.csv")
    curl(NEAR, "10.99.0.12", "-F", f"pack=@{up}/clients.zip", "http://10.99.0.23/api/files")
    one = person(rng)
    curl(
        NEAR,
        "10.99.0.13",
        "-G",
        "--data-urlencode",
        f"idcard={one['id_card']}",
        "--data-urlencode",
        f"name={one['name']}",
        "http://10.99.0.21/api/verify",
    )
    curl(
        NEAR,
        "10.99.0.13",
        "-H",
        "Content-Type: application/json",
        "--data-binary",
        f"@{up}/escaped.json",
        "http://10.99.0.25/api/orders",
    )
    curl(NEAR, "10.99.0.12", "--data-binary", f"@{up}/crm.json", "https://10.99.0.21/api/v2/sync")
    curl(FAR, "10.99.0.21", "-F", f"file=@{up}/salary.csv", "http://10.99.0.11/api/import")
    curl(
        NEAR,
        "10.99.0.12",
        "-H",
        "Content-Encoding: gzip",
        "--data-binary",
        f"@{up}/telemetry.json.gz",
        "http://10.99.0.21/api/telemetry",
    )
    curl(FAR, "10.99.0.25", "http://10.99.0.11/stock.csv")
    curl(
        NEAR,
        "10.99.0.12",
        "-H",
        "Content-Type: application/json",
        "--data-binary",
        f"@{up}/crm.json",
        "http://10.99.0.26/api/v2/sync",
    )
    browse(NEAR, "10.99.0.12", "10.99.0.26", 10)
    browse(FAR, "10.99.0.22", "10.99.0.11", 10)
    for _ in range(4):
        browse(NEAR, "10.99.0.12", "10.99.0.23", 6)


def rewrite(frame: bytearray) -> None:
    """Replace the namespace's addresses by the story's and fix the IPv4 and TCP/UDP checksums (RFC 1624)."""
    if frame[12:14] != b"\x08\x00":
        return
    ihl = (frame[14] & 15) * 4
    changed: list[tuple[bytes, bytes]] = []
    for at in (26, 30):
        old = bytes(frame[at : at + 4])
        new = STORY.get(str(ipaddress.ip_address(old)))
        if new is not None:
            frame[at : at + 4] = ipaddress.ip_address(new).packed
            changed.append((old, bytes(frame[at : at + 4])))
    places = [24] + ([14 + ihl + 16] if frame[23] == 6 else [14 + ihl + 6] if frame[23] == 17 else [])
    for place in places:
        total = ~int.from_bytes(frame[place : place + 2]) & 0xFFFF
        for old, new in changed:
            for half in (0, 2):
                total += (~int.from_bytes(old[half : half + 2]) & 0xFFFF) + int.from_bytes(new[half : half + 2])
        while total > 0xFFFF:
            total = (total & 0xFFFF) + (total >> 16)
        frame[place : place + 2] = (~total & 0xFFFF).to_bytes(2)


def to_pcapng(source: Path, target: Path) -> None:
    """Classic pcap (nanoseconds) to pcapng with the origin in a comment, addresses rewritten."""

    def block(kind: int, body: bytes) -> bytes:
        size = 12 + len(body)
        return struct.pack("<II", kind, size) + body + struct.pack("<I", size)

    def option(code: int, value: bytes) -> bytes:
        return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)

    raw = source.read_bytes()
    comment = b"bordertap demo: curl and nginx in network namespaces, synthetic people, addresses rewritten"
    with target.open("wb") as out:
        out.write(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + option(1, comment) + option(0, b"")))
        out.write(block(1, struct.pack("<HHI", 1, 0, 262144) + option(9, b"\x09") + option(0, b"")))
        at = 24
        while at < len(raw):
            seconds, nanos, caplen, wirelen = struct.unpack_from("<IIII", raw, at)
            frame = bytearray(raw[at + 16 : at + 16 + caplen])
            rewrite(frame)
            ts = seconds * 10**9 + nanos
            out.write(
                block(
                    6,
                    struct.pack("<IIIII", 0, ts >> 32, ts & 0xFFFFFFFF, caplen, wirelen)
                    + bytes(frame)
                    + bytes(-caplen % 4),
                )
            )
            at += 16 + caplen


def main() -> None:
    target = Path(sys.argv[1]).resolve()
    rng = random.Random(20261123)
    root = Path(tempfile.mkdtemp(prefix="demo-"))
    root.chmod(0o755)
    documents(root, rng)
    run(
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "3650",
        "-subj",
        "/CN=api.example.com",
        "-keyout",
        f"{root}/key.pem",
        "-out",
        f"{root}/cert.pem",
    )
    namespaces()
    servers = []
    try:
        for name in (NEAR, FAR):
            here = root / name
            here.mkdir()
            for shared in ("www", "cert.pem", "key.pem"):
                (here / shared).symlink_to(root / shared)
            (here / "tmp").mkdir()
            (here / "nginx.conf").write_text("user root;\n" + NGINX.format(root=here))
            run("ip", "netns", "exec", name, "nginx", "-c", str(here / "nginx.conf"))
            servers.append(int((here / "nginx.pid").read_text()))
        pcap = root / "raw.pcap"
        dump = subprocess.Popen(
            ["ip", "netns", "exec", NEAR, "tcpdump", "-i", "btd0", "-U", "--nano", "-s0", "-w", str(pcap), "tcp"],
            stderr=subprocess.DEVNULL,
        )
        time.sleep(1.5)
        story(root, rng)
        time.sleep(1.5)
        dump.terminate()
        dump.wait()
        to_pcapng(pcap, target)
        print(f"{target.name}: {target.stat().st_size / 1e6:.1f} MB")
    finally:
        for pid in servers:
            run("kill", str(pid), check=False)
        for name in (NEAR, FAR):
            run("ip", "netns", "del", name, check=False)
        shutil.rmtree(root)


if __name__ == "__main__":
    main()

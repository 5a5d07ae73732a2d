"""Seeded capture generator for benchmarks: HTTP traffic of many flows, part of it crossing the border.

`python benchmarks/traffic.py OUT.pcap --mb 1000 --crossing 0.2 --seed 1` writes a classic pcap of Ethernet/IPv4/TCP.
Every flow has a handshake, requests, responses cut at `--mss`, an ACK for every second segment, and a FIN; flows
are interleaved. The mix (by bytes) is that of an office network: JSON calls, HTML pages, CSV and JSON exports of
people, binary downloads. People are synthetic: valid check digits, invented names. Unfair in one respect: no loss,
no retransmission, checksums are zero.
"""

import argparse
import random
import struct
from collections.abc import Iterator
from pathlib import Path

HOME = ["218.30.64.%d", "124.74.12.%d", "10.20.30.%d", "113.96.200.%d"]
AWAY = ["52.95.110.%d", "185.60.216.%d", "203.116.80.%d", "133.242.0.%d"]
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰飞鹏"
COUNTIES = ["110105", "310115", "440304", "330106", "510107", "420106", "320505", "370202"]
WORDS = (
    "order status customer payment delivery system report value index price stock region update service "
    "account detail review market product session content article summary network request response "
    "message"
).split()


def resident_id(rng: random.Random) -> str:
    """A number with a right date and check digit (GB 11643), of nobody."""
    birth = f"{rng.randint(1950, 2004)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}"
    body = f"{rng.choice(COUNTIES)}{birth}{rng.randint(1, 999):03}"
    return body + "10X98765432"[sum(int(d) * (2 ** (17 - i) % 11) for i, d in enumerate(body)) % 11]


def card(rng: random.Random) -> str:
    """A 19-digit debit number with an issuer prefix in use and a right Luhn digit."""
    body = rng.choice(["622202", "621700", "622848"]) + "".join(rng.choices("0123456789", k=12))
    total = sum(sum(divmod(int(d) * (2 - i % 2), 10)) for i, d in enumerate(reversed(body)))
    return body + str(-total % 10)


def person(rng: random.Random) -> dict[str, str]:
    """One synthetic customer."""
    mobile = rng.choice(["138", "139", "186", "177", "150"]) + "".join(rng.choices("0123456789", k=8))
    return {
        "name": rng.choice(SURNAMES) + "".join(rng.choices(GIVEN, k=rng.randint(1, 2))),
        "id_card": resident_id(rng),
        "mobile": mobile,
        "email": f"{rng.choice(WORDS)}{rng.randint(10, 9999)}@example.com",
        "bank_card": card(rng),
    }


def sentence(rng: random.Random, words: int) -> str:
    return " ".join(rng.choices(WORDS, k=words))


def json_call(rng: random.Random) -> bytes:
    """An API answer: ids, times, amounts, no people."""
    rows = [
        {
            "id": rng.getrandbits(60),
            "ts": 1_700_000_000_000 + rng.getrandbits(36),
            "trace": f"{rng.getrandbits(128):032x}",
            "amount": round(rng.random() * 9999, 2),
            "note": sentence(rng, 6),
            "状态": rng.choice(["已发货", "处理中", "已完成"]),
        }
        for _ in range(rng.randint(5, 120))
    ]
    return str(rows).replace("'", '"').encode()


def html_page(rng: random.Random) -> bytes:
    rows = "".join(
        f'<div class="row r{i}"><a href="/p/{rng.getrandbits(40)}?v={rng.getrandbits(20)}">{sentence(rng, 4)}</a>'
        f"<span>{rng.choice(['商品详情', '联系客服', '配送说明', '查看更多'])}</span></div>\n"
        for i in range(rng.randint(50, 400))
    )
    return f"<!doctype html><html><head><title>{sentence(rng, 3)}</title></head><body>{rows}</body></html>".encode()


def people_csv(rng: random.Random) -> bytes:
    """Mostly ordinary columns; a person in every tenth row."""
    lines = ["order_no,amount,name,id_card,mobile,email,bank_card,remark"]
    for _ in range(rng.randint(40, 400)):
        cells = person(rng).values() if rng.random() < 0.1 else ("",) * 5
        lines.append(
            f"{rng.getrandbits(50)},{rng.random() * 1000:.2f},{','.join(cells)},{sentence(rng, 8)}",
        )
    return "\n".join(lines).encode()


class Bodies:
    """A pool of bodies, made once: building text would otherwise dominate the generator."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._plain = [(json_call(rng), "application/json") for _ in range(60)]
        self._plain += [(html_page(rng), "text/html; charset=utf-8") for _ in range(40)]
        self._plain += [
            (rng.randbytes(rng.randint(20_000, 400_000)), rng.choice(["image/jpeg", "application/octet-stream"]))
            for _ in range(20)
        ]
        self._people = [(people_csv(rng), "text/csv; charset=utf-8") for _ in range(20)]

    def pick(self) -> tuple[bytes, str]:
        """A body and its media type; one in thirty holds people."""
        return self._rng.choice(self._people if self._rng.random() < 1 / 30 else self._plain)


def address(text: str) -> bytes:
    return bytes(map(int, text.split(".")))


def exchange(rng: random.Random, bodies: Bodies, number: int) -> tuple[bytes, bytes]:
    """One request and its response; one in five is an upload."""
    body, media = bodies.pick()
    path = f"/{rng.choice(WORDS)}/{rng.choice(WORDS)}?n={number}&t={rng.getrandbits(32)}"
    common = (
        f"Host: api{rng.randint(1, 9)}.example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: */*\r\n"
    )
    if rng.random() < 0.2:
        head = f"POST {path} HTTP/1.1\r\n{common}Content-Type: {media}\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok"
    head = f"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: {media}\r\nContent-Length: {len(body)}\r\n\r\n"
    return f"GET {path} HTTP/1.1\r\n{common}\r\n".encode(), head.encode() + body


_ETH = bytes.fromhex("0200000000010200000000020800")


class Side:
    """One end of a TCP flow: builds its frames."""

    def __init__(self, src: bytes, dst: bytes, sport: int, dport: int, isn: int) -> None:
        self._addresses = src + dst
        self._ports = struct.pack(">HH", sport, dport)
        self.seq = isn

    def frame(self, flags: int, ack: int, payload: bytes = b"") -> bytes:
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 40 + len(payload), self.seq & 0xFFFF, 0x4000, 64, 6, 0)
        tcp = self._ports + struct.pack(">IIBBHHH", self.seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, flags, 65535, 0, 0)
        self.seq += len(payload) + bool(flags & 3)
        return _ETH + ip + self._addresses + tcp + payload


def flow(rng: random.Random, bodies: Bodies, *, crossing: bool, mss: int, exchanges: int) -> Iterator[bytes]:
    """The frames of one flow, in order."""
    near, far = rng.choice(HOME) % rng.randint(1, 250), rng.choice(AWAY if crossing else HOME[:2]) % rng.randint(1, 250)
    if rng.random() < 0.5 and not near.startswith("10."):
        near, far = far, near
    sport = rng.randint(20000, 60000)
    client = Side(address(near), address(far), sport, 80, rng.getrandbits(32))
    server = Side(address(far), address(near), 80, sport, rng.getrandbits(32))
    yield client.frame(2, 0)
    yield server.frame(18, client.seq)
    yield client.frame(16, server.seq)
    for number in range(exchanges):
        for sender, receiver, data in zip(
            (client, server), (server, client), exchange(rng, bodies, number), strict=True
        ):
            for count, at in enumerate(range(0, len(data), mss)):
                yield sender.frame(24, receiver.seq, data[at : at + mss])
                if count % 2:
                    yield receiver.frame(16, sender.seq)
    yield client.frame(17, server.seq)
    yield server.frame(17, client.seq)
    yield client.frame(16, server.seq)


def generate(
    path: Path, *, size: int, crossing: float, seed: int = 1, mss: int = 1400, exchanges: int = 6, live: int = 50
) -> int:
    """Write about `size` bytes of capture; returns the number of frames."""
    rng = random.Random(seed)
    bodies = Bodies(rng)
    written, frames, ts = 24, 0, 1_750_000_000_000_000_000
    share = [0, 0]  # bytes domestic, crossing: the next flow goes where bytes are missing
    active: list[tuple[Iterator[bytes], bool]] = []
    with path.open("wb", buffering=1 << 20) as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        while written < size or active:
            while len(active) < live and written < size:
                abroad = share[1] < crossing * sum(share) if sum(share) else crossing > 0
                many = rng.randint(1, 2 * exchanges)
                active.append((flow(rng, bodies, crossing=abroad, mss=mss, exchanges=many), abroad))
            place = rng.randrange(len(active))
            source, abroad = active[place]
            for _ in range(rng.randint(1, 12)):
                frame = next(source, None)
                if frame is None:
                    active[place] = active[-1]
                    active.pop()
                    break
                ts += rng.randint(500, 12000)
                out.write(struct.pack("<IIII", ts // 10**9, ts % 10**9 // 1000, len(frame), len(frame)))
                out.write(frame)
                frames += 1
                written += 16 + len(frame)
                share[abroad] += len(frame)
    return frames


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--mb", type=int, default=100, help="size of the capture in MB (10^6 bytes)")
    parser.add_argument("--crossing", type=float, default=0.2, help="share of bytes that crosses the border")
    parser.add_argument("--mss", type=int, default=1400, help="payload bytes per segment")
    parser.add_argument("--exchanges", type=int, default=6, help="mean requests per flow")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    frames = generate(
        options.out,
        size=options.mb * 10**6,
        crossing=options.crossing,
        seed=options.seed,
        mss=options.mss,
        exchanges=options.exchanges,
    )
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.1f} MB, {frames} frames")


if __name__ == "__main__":
    main()

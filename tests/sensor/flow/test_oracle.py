"""The laws: fast road = plain road, any cutting gives the same, any numbers are survived, every byte is accounted for."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.model import PROTO_UDP
from tests.sensor.flow.segments import ACK, FIN, MS, PSH, RST, SYN, C, P, S, Seen, talk

pytestmark = pytest.mark.property

SMALL = {"reassembly_reorder_packets": 8, "reassembly_hold_s": 1, "reassembly_retransmit_s": 5}


def conversation(rng: random.Random, number: int) -> list[P]:
    turns = [(rng.randrange(2), rng.randbytes(rng.choice((1, 5, 30, 120)))) for _ in range(rng.randint(0, 5))]
    isn = tuple(rng.choice((rng.getrandbits(32), (1 << 32) - rng.randint(1, 60))) for _ in range(2))
    client = (C[0], 40000 + number % 3)
    proto = {} if rng.random() < 0.85 else {"proto": PROTO_UDP}
    packets = talk(
        turns,
        isn=isn,
        client=client,
        fin=rng.random() < 0.7,
        syn=rng.random() < 0.8,
        step=rng.choice((1, MS, 400 * MS)),
        **proto,
    )
    if rng.random() < 0.2:
        packets = [p for p in packets if p.to_client == packets[0].to_client]  # one way
    return packets


def mangle(rng: random.Random, packets: list[P]) -> list[P]:
    """Loss, copies, other cuts, shuffling, forged numbers, snap length, pauses."""
    out: list[P] = []
    kinds = rng.sample(["lose", "copy", "overlap", "forge", "cut", "grow", "swap", "flag", "reset"], rng.randint(0, 3))
    for packet in packets:
        p, kind = packet, rng.choice(kinds) if kinds and rng.random() < 0.25 else ""
        if kind == "lose":
            continue
        if kind == "copy":
            out.append(p)
        if kind == "overlap" and p.data:
            back = rng.randint(0, 6)
            p = p._replace(seq=p.seq - back, data=rng.randbytes(back) + p.data + rng.randbytes(rng.randint(0, 6)))
        if kind == "forge":
            p = p._replace(seq=p.seq + rng.choice((-1, 1, 7, 1 << 20, 1 << 27, rng.getrandbits(32))))
        if kind == "cut" and len(p.data) > 1:
            p = p._replace(data=p.data[:1], missing=len(p.data) - 1)
        if kind == "grow":
            p = p._replace(ack=p.ack + rng.choice((1, 10, 1 << 28, -5)))
        if kind == "flag":
            p = p._replace(flags=p.flags ^ rng.choice((SYN, FIN, RST, ACK, PSH)))
        out.append(p)
        if kind == "swap" and len(out) > 3:
            at = len(out) - rng.randint(2, 4)
            out[at], out[-1] = out[-1], out[at]
        if kind == "reset":
            out.append(p._replace(flags=RST | ACK, data=b"", seq=p.seq + rng.choice((len(p.data), len(p.data), 99))))
    return out


def traffic(seed: int) -> list[P]:
    """Several conversations, some on the same ports after each other, interleaved, with times that only grow."""
    rng = random.Random(seed)
    flows = [mangle(rng, conversation(rng, number)) for number in range(rng.randint(1, 6))]
    pace = rng.choice((1, MS, 300 * MS, 40_000 * MS))
    out: list[P] = []
    ts = 1_750_000_000_000_000_000
    while any(flows):
        flow = rng.choice([one for one in flows if one])
        for _ in range(rng.randint(1, 8)):
            if flow:
                ts += rng.randint(0, pace)
                out.append(flow.pop(0)._replace(ts=ts))
    return out


def facts(seen: Seen) -> tuple:
    drops = {key: value for key, value in seen.counters.items() if value}
    return seen.all(), drops, sorted((flow.client_port, name, ts) for flow, name, ts in seen.table.anomalies)


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 1 << 40), data=st.data())
def test_fast_road_and_any_cutting_equal_the_plain_road(seed, data):
    packets = traffic(seed)
    cuts = data.draw(st.lists(st.integers(0, len(packets)), max_size=6))
    policy = data.draw(st.sampled_from(("first", "last", "linux", "windows")))
    plain = Seen(fast=False, policy=policy, limits=SMALL).feed(packets)
    assert plain.balanced()
    for split in ((), cuts, range(0, len(packets), 7), range(len(packets))):
        other = Seen(policy=policy, limits=SMALL).feed(packets, split)
        assert facts(other) == facts(plain)


header = st.builds(
    P,
    seq=st.one_of(st.integers(0, 60), st.integers((1 << 32) - 40, (1 << 32) - 1), st.integers(0, (1 << 32) - 1)),
    data=st.binary(max_size=12),
    ack=st.one_of(st.integers(0, 60), st.integers(0, (1 << 32) - 1)),
    flags=st.one_of(st.just(ACK), st.integers(0, 255)),
    to_client=st.booleans(),
    ts=st.integers(0, 1 << 62),
    missing=st.sampled_from((0, 0, 0, 5)),
    client=st.sampled_from((C, (C[0], 40001), S)),
    proto=st.sampled_from((6, 6, 6, 17)),
    server=st.just(S),
    vlan=st.just(0),
)


@settings(max_examples=300, deadline=None)
@given(packets=st.lists(header, max_size=40), caps=st.booleans())
def test_junk_never_raises_and_every_byte_is_accounted_for(packets, caps):
    limits = {"reassembly_flow_bytes": 20, "reassembly_total_bytes": 30, "flows": 2, **SMALL} if caps else {}
    seen = Seen(limits=limits).feed(packets, range(0, len(packets), 5))
    assert seen.balanced()
    assert seen.table._reassembly.held_total == 0
    assert not seen.table._reassembly.waiting
    assert all(flow.ended_by for flow in seen.flows)


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 1 << 40), reach=st.integers(1, 6))
def test_shuffled_and_repeated_packets_give_the_same_conversation(seed, reach):
    rng = random.Random(seed)
    turns = [(n % 2, rng.randbytes(rng.randint(1, 90))) for n in range(rng.randint(1, 6))]
    packets = talk(turns, isn=(rng.getrandbits(32), (1 << 32) - 30))
    shuffled = [p for _, p in sorted((n + rng.uniform(0, reach), p) for n, p in enumerate(packets))]
    shuffled += rng.sample(shuffled, len(shuffled) // 4)
    shuffled = [p._replace(ts=packets[n % len(packets)].ts) for n, p in enumerate(shuffled)]
    seen = Seen().feed(shuffled[: len(packets)] + shuffled[len(packets) :])
    assert seen.script() == [*turns, ("end", "fin")]
    assert len(seen.flows) == 1


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 1 << 40))
def test_loss_shows_as_gaps_of_the_right_size(seed):
    rng = random.Random(seed)
    turns = [(n % 2, rng.randbytes(rng.randint(1, 200))) for n in range(rng.randint(1, 6))]
    packets = talk(turns)
    kept = [p for p in packets if not (p.data and rng.random() < 0.2)]
    seen = Seen().feed(kept)
    for direction in (0, 1):
        sent = b"".join(data for side, data in turns if side == direction)
        rebuilt, at = b"", 0
        for _, kind, what in seen.items:
            if kind == direction:
                size = what if isinstance(what, int) else len(what)
                rebuilt += sent[at : at + size] if isinstance(what, int) else what
                at += size
        assert rebuilt == sent
        lost = len(sent) - sum(len(p.data) for p in kept if p.to_client == direction)
        assert seen.flows[0].gap_bytes[direction] == lost

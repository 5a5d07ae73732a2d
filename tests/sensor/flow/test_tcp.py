"""TCP, one behaviour a test. Each is run by the fast road whole and packet by packet, and by the plain road."""

import pytest

from sensor.model import TO_CLIENT, TO_SERVER
from tests.sensor.flow.segments import ACK, FIN, MS, RST, SYN, T0, C, P, S, Seen, talk

REQUEST, RESPONSE = b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\nbody of the answer"
TURNS = [(0, REQUEST), (1, RESPONSE)]


def see(packets: list[P], **options) -> Seen:
    """Three ways, one result."""
    seen = Seen(fast=False, **options).feed(packets)
    for cuts in ((), range(len(packets))):
        other = Seen(**options).feed(packets, cuts)
        assert other.all() == seen.all()
        assert other.anomalies == seen.anomalies
    assert seen.balanced()
    return seen


def at(packets: list[P], flags: int, *, to_client: bool = False) -> int:
    """Place of the first packet with these flags and data or without."""
    return next(n for n, p in enumerate(packets) if p.flags == flags and p.to_client == to_client)


def test_a_conversation_in_order():
    seen = see(talk(TURNS))
    assert seen.script() == [*TURNS, ("end", "fin")]
    flow = seen.flows[0]
    assert (flow.client, flow.client_port, flow.server, flow.server_port) == (*C, *S)
    assert not flow.midstream
    assert not flow.roles_guessed
    assert flow.bytes == [len(REQUEST), len(RESPONSE)]
    assert sum(flow.packets) == len(talk(TURNS))
    assert seen.anomalies == set()


def test_turns_alternate_whatever_their_number():
    turns = [(n % 2, bytes([65 + n]) * 25) for n in range(9)]
    assert see(talk(turns)).script() == [*turns, ("end", "fin")]


@pytest.mark.parametrize("back", [1, 5, 12, 18, 40])
def test_sequence_numbers_wrap(back):
    isn = ((1 << 32) - back, (1 << 32) - back)
    assert see(talk(TURNS, isn=isn)).script() == [*TURNS, ("end", "fin")]


def test_the_server_is_who_answers_even_on_odd_ports():
    seen = see(talk(TURNS, client=(C[0], 80), server=(S[0], 50000)))
    assert seen.flows[0].server_port == 50000
    assert seen.script()[0] == (TO_SERVER, REQUEST)


def test_retransmissions_are_dropped_and_counted():
    packets = talk(TURNS)
    place = at(packets, ACK | 8)
    packets.insert(place + 2, packets[place])
    seen = see(packets)
    assert seen.script() == [*TURNS, ("end", "fin")]
    assert seen.counters["drops_total", "tcp_retransmitted"] == len(packets[place].data)
    assert seen.anomalies == set()


def test_a_retransmission_with_other_bytes_does_not_change_what_was_handed_on():
    packets = talk(TURNS)
    place = at(packets, ACK | 8)
    packets.insert(place + 2, packets[place]._replace(data=b"X" * len(packets[place].data)))
    assert see(packets).script() == [*TURNS, ("end", "fin")]


def test_a_retransmission_that_reaches_further_brings_its_new_bytes():
    packets = talk([(0, b"0123456789abcdefghij")], fin=False)
    first, second = [p for p in packets if p.data]
    rest = [p for p in packets if not p.data]
    joined = first._replace(data=b"0123456789abcdefghij")
    seen = see([*rest, first, joined, second])
    assert seen.stream(TO_SERVER) == b"0123456789abcdefghij"
    assert seen.counters["drops_total", "tcp_retransmitted"] == 20


def test_a_segment_of_old_tail_and_new_head_before_the_plain_one():
    packets = talk([(0, b"0123456789abcdefghij")], fin=False)
    first, second = [p for p in packets if p.data]
    rest = [p for p in packets if not p.data]
    ahead = second._replace(seq=second.seq - 4, data=b"6789abcdefghij")
    assert see([*rest, ahead, first, second]).stream(TO_SERVER) == b"0123456789abcdefghij"


@pytest.mark.parametrize(
    ("policy", "stream"), [("first", b"0123BBBBBBBB"), ("last", b"0123AAAABBBB"), ("windows", b"0123AAAABBBB")]
)
def test_held_segments_that_overlap_follow_the_policy(policy, stream):
    start = talk([], fin=False)
    base = start[-1].seq
    late = P(base + 6, b"BBBBBB", 5001)
    other = P(base + 4, b"AAAA", 5001)
    again = P(base + 4, b"BB", 5001)
    packets = [*start, late, other, P(base, b"0123", 5001)]
    if policy == "first":
        packets = [*start, late, again, other, P(base, b"0123", 5001)]
    seen = see(packets, policy=policy)
    assert seen.stream(TO_SERVER) == stream
    assert "tcp_overlap_differs" in seen.anomalies


def test_a_response_seen_before_its_request_waits_for_it():
    packets = talk(TURNS, mss=100)
    request = next(n for n, p in enumerate(packets) if p.data == REQUEST)
    packets.insert(request + 3, packets.pop(request))
    assert see(packets).script() == [*TURNS, ("end", "fin")]


def test_a_lost_request_shows_as_a_gap_before_the_response():
    packets = [p for p in talk(TURNS, mss=100) if p.data != REQUEST]
    seen = see(packets)
    assert seen.script() == [(0, len(REQUEST)), (1, RESPONSE), ("end", "fin")]
    assert seen.flows[0].gap_bytes == [len(REQUEST), 0]
    assert seen.anomalies == {"tcp_gap"}


def test_a_lost_segment_shows_as_a_gap_in_its_place():
    turns = [(0, REQUEST), (1, b"a" * 10 + b"b" * 10 + b"c" * 10)]
    packets = [p for p in talk(turns) if p.data != b"b" * 10]
    assert see(packets).script() == [(0, REQUEST), (1, b"a" * 10), (1, 10), (1, b"c" * 10), ("end", "fin")]


def test_a_gap_is_declared_soon_after_the_receiver_has_the_bytes():
    packets = [p for p in talk([(1, b"x" * 4000)], fin=False) if p.seq != 5001 + 100]
    seen = Seen().feed(packets, range(len(packets)), finish=False)
    received = len(seen.stream(TO_CLIENT))
    assert received == 4000 - 10  # before the input ended
    assert seen.flows[0].gap_bytes == [0, 10]


def test_bytes_the_receiver_has_not_acknowledged_are_awaited_longer():
    start = talk([(0, REQUEST)], fin=False)
    base, ack = 5001, start[-1].ack
    ack = 1001 + len(REQUEST)
    later = T0 + 10_000 * MS
    data = [P(base + 10, b"B" * 10, ack, ACK, True, later), P(1001 + len(REQUEST), b"", base, ACK, False, later + 1)]
    answer = P(base, b"A" * 10, ack, ACK, True, later + 5_000 * MS)
    seen = see([*start, *data, data[1]._replace(ts=later + 4_999 * MS), answer])
    assert seen.script() == [(0, REQUEST), (1, b"A" * 10 + b"B" * 10), ("end", "finish")]


def test_one_direction_only_never_waits_for_ever():
    packets = [p for p in talk([(0, b"x" * 300)], fin=False, step=100 * MS) if not p.to_client]
    lost = [p for p in packets if p.seq != 1001 + 50]
    seen = Seen().feed(lost, range(len(lost)), finish=False)
    assert len(seen.stream(TO_SERVER)) == 290
    assert seen.flows[0].gap_bytes == [10, 0]
    assert see(lost).script() == [(0, b"x" * 50), (0, 10), (0, b"x" * 240), ("end", "finish")]


def test_what_the_snap_length_cut_is_a_gap():
    packets = talk([(0, b"0123456789" * 3), (1, RESPONSE)])
    cut = [p._replace(data=p.data[:6], missing=len(p.data) - 6) if len(p.data) > 6 else p for p in packets]
    seen = see(cut)
    assert seen.script()[:6] == [(0, b"012345"), (0, 4)] * 3
    assert seen.script()[-1] == ("end", "fin")
    assert seen.flows[0].gap_bytes[0] == 12


def test_keep_alive_and_window_probes_change_nothing():
    packets = talk(TURNS, fin=False)
    end = 1001 + len(REQUEST)
    done = 5001 + len(RESPONSE)
    probes = [P(end - 1, b"", done), P(end - 1, b"\0", done), P(done, b"", end, ACK, True), P(end, b"", done)]
    seen = see([*packets, *probes, P(end, b"more", done)])
    assert seen.script() == [*TURNS, (0, b"more"), ("end", "finish")]


def test_mid_stream_pick_up_guesses_roles_by_port():
    packets = [p for p in talk(TURNS, syn=False, fin=False) if p.data]
    for some in (packets, packets[2:]):  # first sender is the client, then the server
        seen = see(some)
        flow = seen.flows[0]
        assert flow.midstream
        assert flow.roles_guessed
        assert (flow.client, flow.server_port) == (C[0], 80)
    assert seen.script()[-2] == (1, RESPONSE)


@pytest.mark.parametrize(
    ("client", "server", "flips"),
    [(40000, 8080, False), (8080, 40000, True), (50000, 50001, True), (50001, 50000, False), (7777, 7777, False)],
)
def test_roles_without_handshake(client, server, flips):
    seen = see([P(1, b"hello", 1, client=(C[0], client), server=(S[0], server))])
    assert seen.flows[0].client == (S[0] if flips else C[0])
    assert seen.script()[0] == (int(flips), b"hello")


def test_mid_stream_packets_may_come_shuffled():
    packets = [p for p in talk([(0, b"0123456789" * 4)], syn=False, fin=False) if p.data]
    assert see([packets[2], packets[0], packets[1], packets[3]]).stream(TO_SERVER) == b"0123456789" * 4


def test_a_syn_seen_after_the_first_bytes_still_begins_the_flow():
    packets = talk(TURNS)
    syn, synack, ack, data, *rest = packets
    seen = see([synack, data, ack, syn, *rest])
    assert seen.script() == [*TURNS, ("end", "fin")]
    assert not seen.flows[0].midstream
    seen = see([data, ack, syn, synack, *rest])
    assert seen.script() == [*TURNS, ("end", "fin")]
    assert not seen.flows[0].midstream
    assert not seen.flows[0].roles_guessed


def test_a_keep_alive_before_the_first_bytes_is_not_their_beginning():
    seen = see([P(999, b"", 5000), P(1000, b"hello", 5000), P(5000, b"answer", 1005, ACK, True)])
    assert seen.script() == [(0, b"hello"), (1, b"answer"), ("end", "finish")]


def test_data_on_the_syn():
    packets = talk(TURNS, mss=100)
    early = [packets[0]._replace(data=REQUEST), *[p for p in packets[1:] if p.data != REQUEST]]
    early[1] = early[1]._replace(ack=early[1].ack + len(REQUEST))
    assert see(early).script() == [*TURNS, ("end", "fin")]


def test_a_reset_ends_the_flow():
    packets = talk(TURNS, fin=False)
    end = 5001 + len(RESPONSE)
    seen = see([*packets, P(end, b"", 1001 + len(REQUEST), RST | ACK, True)])
    assert seen.script() == [*TURNS, ("end", "rst")]


def test_a_refused_connection():
    seen = see([P(1000, flags=SYN), P(0, ack=1001, flags=RST | ACK, to_client=True)])
    assert seen.script() == [("end", "rst")]


@pytest.mark.parametrize("off", [1, -1, 100, 1 << 30, 1 << 31])
def test_a_reset_with_another_number_is_noise(off):
    packets = talk(TURNS)
    place = next(n for n, p in enumerate(packets) if p.data and p.to_client)
    packets.insert(place, P(packets[place].seq + off, b"", 0, RST, True))
    seen = see(packets)
    assert seen.script() == [*TURNS, ("end", "fin")]
    assert seen.anomalies == {"tcp_rst_ignored"}


def test_a_forged_reset_with_the_right_number_does_not_blind():
    packets = talk(TURNS)
    place = next(n for n, p in enumerate(packets) if p.data and p.to_client)
    for to_client in (True, False):
        forged = P(packets[place].seq if to_client else packets[place].ack, b"", 0, RST, to_client)
        seen = see([*packets[:place], forged, *packets[place:]])
        assert seen.stream(TO_SERVER) + seen.stream(TO_CLIENT) == REQUEST + RESPONSE
        assert len(seen.flows) == 1


def test_a_fin_with_another_number_is_noise():
    packets = talk(TURNS)
    place = next(n for n, p in enumerate(packets) if p.data and p.to_client)
    for off in (-3, 4, 1 << 20, 1 << 30):
        noise = P(packets[place].seq + off, b"", packets[place].ack, FIN | ACK, True)
        assert see([*packets[:place], noise, *packets[place:]]).script() == [*TURNS, ("end", "fin")]


def test_data_after_the_fin_is_ignored_and_counted():
    packets = talk(TURNS)
    end = 1001 + len(REQUEST) + 1
    place = at(packets, FIN | ACK) + 1
    seen = see([*packets[:place], P(end, b"late", 5001 + len(RESPONSE)), *packets[place:]])
    assert seen.script() == [*TURNS, ("end", "fin")]
    assert seen.counters["drops_total", "tcp_after_fin"] == 4
    assert seen.anomalies == {"tcp_data_after_fin"}


def test_the_other_side_may_go_on_after_a_fin():
    packets = talk([(0, REQUEST)], fin=False)
    end = 1001 + len(REQUEST)
    seen = see(
        [
            *packets,
            P(end, b"", 5001, FIN | ACK),
            P(5001, RESPONSE, end + 1, ACK, True),
            P(5001 + len(RESPONSE), b"", end + 1, FIN | ACK, True),
        ]
    )
    assert seen.script() == [*TURNS, ("end", "fin")]


def test_a_fin_seen_before_its_data():
    packets = talk([(0, b"0123456789abcdefghij")])
    fin = at(packets, FIN | ACK)
    second = max(n for n, p in enumerate(packets) if p.data)
    packets[fin], packets[second] = packets[second], packets[fin]
    seen = see(packets)
    assert seen.script() == [(0, b"0123456789abcdefghij"), ("end", "fin")]


def test_a_fin_that_is_not_in_the_capture_makes_no_gap():
    packets = talk(TURNS)
    packets = [p for p in packets if not (p.flags & FIN and not p.to_client)]
    seen = see(packets)
    assert seen.script()[:2] == TURNS
    assert seen.flows[0].gap_bytes == [0, 0]


def test_a_late_retransmission_does_not_begin_another_flow():
    packets = talk(TURNS)
    late = [p._replace(ts=packets[-1].ts + 5000 * MS) for p in packets if p.data][-1:]
    seen = see(packets + late)
    assert len(seen.flows) == 1
    assert seen.counters["drops_total", "tcp_after_end"] == len(late[0].data)


@pytest.mark.parametrize("fin", [True, False])
def test_ports_used_again_are_another_flow(fin):
    first = talk(TURNS, fin=fin)
    second = talk([(0, b"PUT"), (1, b"no")], isn=(90000, 70000), ts=first[-1].ts + 100 * MS)
    seen = see(first + second)
    assert [seen.script(flow) for flow in seen.flows] == [
        [*TURNS, ("end", "fin" if fin else "reused")],
        [(0, b"PUT"), (1, b"no"), ("end", "fin")],
    ]


def test_a_repeated_syn_is_not():
    packets = talk(TURNS)
    seen = see([packets[0], *packets[:2], packets[1], packets[0], *packets[2:]])
    assert seen.script() == [*TURNS, ("end", "fin")]


def test_the_tail_of_another_connection_before_the_syn():
    tail = [P(777_000_000, b"", 888_000_000, FIN | ACK), P(777_000_000, b"old bytes", 888_000_000)]
    packets = talk(TURNS)
    seen = see([tail[1], *packets])
    assert [seen.script(flow) for flow in seen.flows][1] == [*TURNS, ("end", "fin")]
    assert see([tail[0], *packets]).script() == [*TURNS, ("end", "fin")]


def test_a_segment_far_out_of_the_window_is_not_followed():
    packets = talk(TURNS)
    place = next(n for n, p in enumerate(packets) if p.data and p.to_client)
    packets.insert(place, packets[place]._replace(seq=packets[place].seq + (1 << 28), data=b"noise"))
    seen = see(packets)
    assert seen.script() == [*TURNS, ("end", "fin")]
    assert seen.counters["drops_total", "tcp_out_of_window"] == 5
    assert seen.anomalies == {"tcp_out_of_window"}


def test_a_stream_that_has_moved_far_on_is_found_again():
    packets = talk(TURNS, fin=False)
    far = 5001 + len(RESPONSE) + (1 << 28)
    later = [P(far + 10 * n, bytes([65 + n]) * 10, 1001 + len(REQUEST), ACK, True) for n in range(5)]
    seen = see([*packets, *later])
    size = (1 << 28) + 20
    assert seen.script() == [*TURNS, (1, size), (1, b"C" * 10 + b"D" * 10 + b"E" * 10), ("end", "finish")]
    assert seen.counters["drops_total", "tcp_out_of_window"] == 20


def test_the_flow_cap_gives_up_the_hole():
    start = talk([], fin=False)
    ahead = [P(1011 + 10 * n, bytes([65 + n]) * 10, 5001) for n in range(5)]
    for cap, gives_up in ((50, False), (49, True), (10, True)):
        seen = Seen(limits={"reassembly_flow_bytes": cap}).feed([*start, *ahead], finish=False)
        assert bool(seen.stream(TO_SERVER)) == gives_up
        assert ("tcp_flow_cap" in seen.anomalies) == gives_up
        assert see([*start, *ahead], limits={"reassembly_flow_bytes": cap}).script()[0] == (0, 10)


def test_the_total_cap_gives_up_what_waited_longest():
    clients = [(C[0], 41000 + n) for n in range(3)]
    packets = [p for client in clients for p in talk([], fin=False, client=client)]
    packets += [P(1011, b"x" * 10, 5001, client=client) for client in clients]
    seen = Seen(limits={"reassembly_total_bytes": 20}).feed(packets, finish=False)
    assert [flow.client_port for flow, kind, _ in seen.items] == [41000, 41000]
    assert seen.anomalies == {"tcp_total_cap", "tcp_gap"}
    assert seen.table._reassembly.held_total == 20

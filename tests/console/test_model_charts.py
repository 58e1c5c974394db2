"""Where the marks of a model's charts are."""

from __future__ import annotations

from api.console.model_charts import level_points, weight_bars

ZERO, HALF, BITS = 210, 105, 420 / 50


def a_level(*, weight: float = 0.0, m: float = 0.5, u: float = 0.5) -> dict[str, object]:
    return {"level": "Name: equal", "weight": weight, "m": m, "u": u}


def test_bars_go_right_for_one_person_and_left_against() -> None:
    frame, (for_it, against) = weight_bars([a_level(weight=10), a_level(weight=-5)])

    assert (for_it.kind, for_it.x, for_it.width) == ("for", frame.left + ZERO, 10 * BITS)
    assert (against.kind, against.x, against.width) == ("against", frame.left + ZERO - 5 * BITS, 5 * BITS)
    assert against.y > for_it.y


def test_a_bar_ends_at_the_edge_and_one_of_nothing_is_seen() -> None:
    frame, (forbids, says_nothing) = weight_bars([a_level(weight=-900), a_level(weight=0.0)])

    assert (forbids.x, forbids.width) == (frame.left, ZERO)
    assert says_nothing.width == 1


def test_points_are_placed_by_their_power_of_ten() -> None:
    frame, (ordinary, rarest) = level_points([a_level(m=1.0, u=1e-4), a_level(m=1e-2, u=0.0)])

    assert (ordinary.m_x, ordinary.u_x) == (frame.left + 420, frame.left + ZERO)
    assert (rarest.m_x, rarest.u_x) == (frame.left + ZERO + HALF, frame.left)
    assert [(tick.label, tick.x - frame.left) for tick in frame.ticks][::2] == [
        ("1e−8", 0),
        ("1e−4", ZERO),
        ("1", 420),
    ]


def test_there_is_room_for_the_longest_name() -> None:
    short, _ = weight_bars([a_level()])
    long, _ = weight_bars([a_level() | {"level": "x" * 50}, a_level()])

    assert long.left > 50 * 6 > short.left
    assert long.width - long.left == short.width - short.left


def test_a_name_that_leaves_no_room_ends_in_dots_and_is_told_whole_beside() -> None:
    name = "document with another name: " + "x" * 80

    frame, [bar] = weight_bars([a_level() | {"level": name}])

    assert bar.name == name
    assert bar.shown.endswith("x…")
    assert name.startswith(bar.shown[:-1])
    assert frame.left < 60 * 7

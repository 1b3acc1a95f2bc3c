from cvae.stills import natural_order


def test_numbers_of_any_length_are_ordered() -> None:
    assert sorted(["b1", "a" + "9" * 5000, "a10", "a2"], key=natural_order) == ["a2", "a10", "a" + "9" * 5000, "b1"]
    assert sorted(["frame010", "Frame11", "frame9"], key=natural_order) == ["frame9", "frame010", "Frame11"]

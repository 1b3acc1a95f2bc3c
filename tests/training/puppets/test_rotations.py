import numpy as np
import pytest

from training.puppets.rotations import about_y, from_vector, to_vector, unit, xyz_degrees


def vectors():
    return np.random.default_rng(0).normal(0, 0.8, (20, 3))


def test_matrices_are_rotations():
    matrices = from_vector(vectors())
    assert matrices @ matrices.transpose(0, 2, 1) == pytest.approx(np.tile(np.eye(3), (20, 1, 1)), abs=1e-9)
    assert np.linalg.det(matrices) == pytest.approx(1)


def test_vector_to_matrix_and_back_is_the_same():
    assert to_vector(from_vector(vectors())) == pytest.approx(vectors())


def test_axis_of_a_rotation_stays_where_it_is():
    axis = unit(vectors())
    assert np.einsum("tij,tj->ti", from_vector(axis * 1.3), axis) == pytest.approx(axis)


def test_quarter_turn_about_y_takes_z_to_x():
    assert about_y(np.array(np.pi / 2)) @ [0, 0, 1] == pytest.approx([1, 0, 0], abs=1e-9)


def test_angles_turn_about_x_first_then_y_then_z():
    assert xyz_degrees(np.array([90.0, 90.0, 90.0])) @ [0, 1, 0] == pytest.approx([0, 1, 0], abs=1e-9)
    assert xyz_degrees(np.array([90.0, 0.0, 90.0])) @ [1, 0, 0] == pytest.approx([0, 1, 0], abs=1e-9)


def test_no_rotation_has_no_vector():
    assert to_vector(np.eye(3)) == pytest.approx([0, 0, 0])

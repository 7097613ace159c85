"""What the painting of `tfvis.style.painting` shows: a flow, and the tones it carries.

All in closed form at any point, so that a picture of any size shows the same scene. The
constants are matters of taste, settled by looking at the result.
"""

import dataclasses

import numpy as np

# Squared radius of a vortex's core, where it turns as a solid body and not ever faster.
_CORE = 3e-3
# Bands of tone per unit of the stream function, in radians: a picture holds a few.
_BANDS = 9.0


@dataclasses.dataclass(frozen=True)
class Scene:
    """What is painted: a flow, and the tones that it carries. Positions are (y, x) in 0..1.

    Attributes:
        waves: float64 [waves, 2], wave vectors of the stream function, radians per side.
        phases, heights: float64 [waves].
        centers: float64 [vortices, 2].
        strengths: float64 [vortices]; the sign is the sense of rotation.
        radii: float64 [vortices], of the glow about each.
    """

    waves: np.ndarray
    phases: np.ndarray
    heights: np.ndarray
    centers: np.ndarray
    strengths: np.ndarray
    radii: np.ndarray

    def stream(self, points: np.ndarray) -> np.ndarray:
        """Returns the stream function at float [..., 2]; the flow runs along its contours."""
        waves = self.heights * np.sin(points @ self.waves.T + self.phases)
        squared = self._from_centers(points)[1]
        return waves.sum(-1) + (0.5 * self.strengths * np.log(squared + _CORE)).sum(-1)

    def direction(self, points: np.ndarray) -> np.ndarray:
        """Returns unit vectors (y, x), the curl of the stream function, at float [..., 2]."""
        slope = self.heights * np.cos(points @ self.waves.T + self.phases)
        offsets, squared = self._from_centers(points)
        gradient = slope @ self.waves
        gradient += ((self.strengths / (squared + _CORE))[..., None] * offsets).sum(-2)
        curl = np.stack([-gradient[..., 1], gradient[..., 0]], -1)
        return curl / (np.linalg.norm(curl, axis=-1, keepdims=True) + 1e-9)

    def tone(self, points: np.ndarray) -> np.ndarray:
        """Returns the tone, about 0 (night) to 1 (light), at float [..., 2].

        Bands along the streamlines, so that colour swirls as the strokes do, and a glow
        about each vortex.
        """
        bands = 0.5 + 0.5 * np.sin(_BANDS * self.stream(points))
        squared = self._from_centers(points)[1]
        glow = np.exp(-squared / self.radii**2)
        rings = 0.5 + 0.5 * np.cos(2 * np.pi * np.sqrt(squared) / (0.85 * self.radii))
        glow = (glow * (0.62 + 0.38 * rings)).max(-1)
        return 0.05 + 0.45 * bands * (1 - glow) + 0.97 * glow

    def _from_centers(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        offsets = points[..., None, :] - self.centers
        return offsets, (offsets**2).sum(-1)


def scene(seed: int = 0) -> Scene:
    """Returns the scene that `paint` paints for this seed (>= 0), at any size."""
    generator = np.random.default_rng([seed, 0])
    count = 7  # Of waves as long as the picture or so: more would only blur each other.
    angles = generator.uniform(0, 2 * np.pi, count)
    lengths = 2 * np.pi / generator.uniform(0.55, 1.3, count)
    centers = _apart(generator, 5)
    signs = generator.permutation([1, -1, 1, -1, 1])
    return Scene(
        waves=lengths[:, None] * np.stack([np.sin(angles), np.cos(angles)], -1),
        phases=generator.uniform(0, 2 * np.pi, count),
        heights=0.5 / lengths,
        centers=centers,
        strengths=signs * generator.uniform(0.12, 0.28, len(centers)),
        radii=generator.uniform(0.08, 0.19, len(centers)),
    )


def _apart(generator: np.random.Generator, count: int) -> np.ndarray:
    """Returns points of 0..1, each the farthest from those before it of a few draws."""
    points = [generator.uniform(0.2, 0.8, 2)]
    while len(points) < count:
        draws = generator.uniform(0.05, 0.95, (30, 2))
        nearest = np.linalg.norm(draws[:, None] - np.array(points), axis=-1).min(1)
        points.append(draws[nearest.argmax()])
    return np.array(points)

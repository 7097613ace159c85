"""Style distances, their sketches, clusters under them, medoids, a plane."""

import itertools

import numpy as np
import sklearn.cluster
import sklearn.metrics
import tensorflow as tf

from tests import nets
from tfvis.errors import InputError
from tfvis.style import (
    cluster_agreement,
    clusters,
    color_histograms,
    descriptors,
    multidimensional_scaling,
    style_distance,
)
from tfvis.style.clustering_settings import Clustering
from tfvis.style.descriptors import Sketch
from tfvis.style.style_distance import Layer


def _grams(count: int, channels: int, seed: int = 0) -> np.ndarray:
    """Returns Gram matrices as ReLUs give: of few directions, some strong, all of one mean."""
    generator = np.random.default_rng(seed)
    shared = generator.gamma(0.5, size=(channels, 1))
    found = []
    for _ in range(count):
        mixing = generator.standard_normal((channels, 12)) * generator.gamma(1, size=12)
        places = np.maximum(shared + mixing @ generator.standard_normal((12, 80)), 0)
        found.append(places @ places.T / 80)
    return np.float32(found)


def _between(points: np.ndarray) -> np.ndarray:
    return np.float32(np.linalg.norm(points[:, None] - points[None], axis=-1))


def _planted(generator, sizes=(12, 9, 7), spread=0.1, noise=4) -> tuple[np.ndarray, np.ndarray]:
    """Returns distances of clusters of 2-D points apart from each other, and their names."""
    centers = 6 * np.stack([np.cos(np.arange(len(sizes)) * 2), np.arange(len(sizes))], 1)
    names = np.repeat(np.arange(len(sizes)), sizes)
    points = centers[names] + spread * generator.standard_normal((len(names), 2))
    far = 60 + 30 * np.stack([np.arange(noise), np.arange(noise) % 2], 1)
    return _between(np.concatenate([points, far])), np.append(names, [-1] * noise)


class DescriptorTest(tf.test.TestCase):
    def test_distances_are_those_of_the_gram_matrices(self):
        net, layers = nets.wrapped(), ("block1_conv1", "block2_conv1")
        look = descriptors.grams(net, layers)
        pictures = [nets.oblong(24, 40), nets.oblong(32, 20, seed=1), nets.picture(28, seed=2)]
        found = [look(picture) for picture in pictures]
        taps = net.taps(layers)
        for picture, of in zip(pictures, found, strict=True):
            for layer, gram in zip(layers, of, strict=True):
                features = taps(tf.constant(picture[None]))[layer].numpy()
                flat = features.reshape(-1, features.shape[-1])
                self.assertAllClose(gram, flat.T @ flat / len(flat), rtol=1e-4)
        sketches = descriptors.sketches(net, layers, 3)
        self.assertTrue(all(sketch.exact for sketch in sketches))
        vectors = [np.stack([s(g[k]) for g in found]) for k, s in enumerate(sketches)]
        stored = [Layer.of(one) for one in vectors]
        scaled = style_distance.factors(stored, (2.0, 0.5), "raw")
        apart = style_distance.distances(stored, scaled)
        for a, b in itertools.product(range(3), repeat=2):
            # Equations 4 and 5 of Gatys et al. 2016, Gram matrices over the places.
            energy = sum(
                weight * np.sum((found[a][k] - found[b][k]) ** 2) / (4 * channels**2)
                for k, (weight, channels) in enumerate(((2.0, 8), (0.5, 12)))
            )
            # In float32, of squares that are a hundred times as large.
            self.assertAllClose(apart[a, b], np.sqrt(energy), rtol=2e-3, atol=1e-6)

    def test_sketches_keep_distances_within_two_percent(self):
        grams = _grams(33, 512)
        sketch = Sketch(512, descriptors.SKETCHED)
        self.assertEqual((sketch.exact, sketch.length), (False, 16384))
        # As they are kept: directions in half precision.
        layer = Layer.of(np.stack([sketch(gram) for gram in grams]))
        layer = Layer(layer.directions.astype(np.float16), layer.lengths)
        apart = style_distance.distances([layer], style_distance.factors([layer], (), "raw"))
        pairs = list(itertools.combinations(range(33), 2))[:500]
        errors = [
            abs(apart[a, b] / (np.linalg.norm(np.float64(grams[a]) - grams[b]) / 1024) - 1)
            for a, b in pairs
        ]
        self.assertLen(errors, 500)
        self.assertLess(max(errors), 0.02)
        # No bias: the mean error of 500 is a fraction of a standard error.
        self.assertLess(np.mean(errors), 0.006)

    def test_whole_collections_are_sketched_only_where_they_are_large(self):
        net = nets.like_vgg16()
        layers = [f"block{k}_conv1" for k in range(1, 6)]
        self.assertTrue(all(s.exact for s in descriptors.sketches(net, layers, 10)))
        many = descriptors.sketches(net, layers, 10_000_000)
        self.assertTrue(all(s.length <= s.entries for s in many))

    def test_ten_thousand_pictures_of_vgg16_fit(self):
        sketches = [Sketch(c, descriptors.SKETCHED) for c in (64, 128, 256, 512, 512)]
        numbers = sum(sketch.length for sketch in sketches)
        self.assertLess(2 * numbers * 10_000, 2 * 2**30)
        self.assertGreater(sum(4 * s.entries for s in sketches) * 10_000, descriptors.EXACT_BYTES)

    def test_pictures_keep_their_aspect(self):
        made = descriptors.resized(nets.oblong(40, 160), 64)
        self.assertEqual(made.shape, (32, 128, 3))
        self.assertEqual(descriptors.resized(nets.oblong(16, 400), 64).shape[0], 32)


class DistanceTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        generator = np.random.default_rng(0)
        self.vectors = [np.float32(generator.gamma(1, size=(700, k))) for k in (30, 3000)]
        self.vectors[1] *= 100
        self.layers = [Layer.of(one) for one in self.vectors]

    def _apart(self, scaling, weights=()):
        scaled = style_distance.factors(self.layers, weights, scaling)
        return style_distance.distances(self.layers, scaled)

    def _check(self, apart, vectors):
        # More rows and columns than are gone through at a time.
        rows = np.linspace(0, 699, 40).astype(int)
        expected = _between(np.float64(vectors)[rows])
        self.assertAllClose(apart[np.ix_(rows, rows)], expected, rtol=1e-4, atol=1e-3)
        self.assertAllEqual(apart, apart.T)
        self.assertAllEqual(np.diag(apart), np.zeros(700))

    def test_raw_and_cosine(self):
        whole = np.concatenate([2 * self.vectors[0], self.vectors[1]], 1)
        self._check(self._apart("raw", (4.0, 1.0)), whole)
        lengths = np.linalg.norm(whole, axis=1, keepdims=True)
        self._check(self._apart("cosine", (4.0, 1.0)), whole / lengths)

    def test_layers_count_alike_and_each_at_length_one(self):
        for k in (0, 1):
            weights = [0.0, 0.0]
            weights[k] = 1.0
            apart = self._apart("layers", weights).astype(np.float64)
            squared = np.sum(apart**2) / (700 * 699)
            self.assertAllClose(squared, 1.0, rtol=1e-3)
        unit = [one / np.linalg.norm(one, axis=1, keepdims=True) for one in self.vectors]
        self._check(self._apart("layer_cosine"), np.concatenate(unit, 1))

    def test_pictures_of_nothing(self):
        layer = Layer.of(np.zeros((4, 6), np.float32))
        for scaling in ("raw", "layers", "cosine", "layer_cosine"):
            scaled = style_distance.factors([layer], (), scaling)
            self.assertAllEqual(style_distance.distances([layer], scaled), np.zeros((4, 4)))


class ClusterTest(tf.test.TestCase):
    def test_medoids_by_brute_force(self):
        distances, names = _planted(np.random.default_rng(0))
        for cluster, medoid in enumerate(clusters.medoids(distances, names)):
            members = [k for k in range(len(names)) if names[k] == cluster]
            sums = {k: sum(float(distances[k, other]) for other in members) for k in members}
            self.assertEqual(medoid, min(sums, key=sums.get))
        self.assertEmpty(clusters.medoids(distances, np.full(len(names), -1)))

    def test_the_knee_of_known_curves(self):
        # Level to 80, then steep: the corner is the farthest from the chord.
        curve = np.concatenate([np.linspace(1, 2, 81), np.linspace(2.5, 12, 20)])
        self.assertAllClose(clusters.knee(np.random.default_rng(0).permutation(curve)), 2.0)
        # exp(x) on 0..1: its slope is the chord's at x = log(e - 1).
        curve = np.exp(np.linspace(0, 1, 10001))
        self.assertAllClose(clusters.knee(curve), np.e - 1, rtol=1e-3)
        # Steep, then level: the knee is above the chord.
        curve = np.concatenate([np.linspace(0, 9, 10), np.linspace(9.1, 10, 60)])
        self.assertAllClose(clusters.knee(curve), 9.0)

    def test_k_distances(self):
        distances = _between(np.array([[0.0], [1.0], [3.0], [7.0]]))
        self.assertAllEqual(clusters.k_distances(distances, 2), [1, 1, 2, 4])
        self.assertAllEqual(clusters.k_distances(distances, 4), [7, 6, 4, 7])

    def test_dbscan_and_hdbscan_find_planted_clusters(self):
        for seed in range(3):
            distances, names = _planted(np.random.default_rng(seed))
            eps = clusters.knee(clusters.k_distances(distances, 3))
            self.assertAllEqual(clusters.dbscan(distances, 1.0, 3), names)
            found = clusters.dbscan(distances, eps, 3)
            self.assertGreater(sklearn.metrics.adjusted_rand_score(names, found), 0.95)
            self.assertAllEqual(clusters.hdbscan(distances, 3, 5), names)

    def test_eps_read_off_a_distance_reaches_it(self):
        distances = _between(np.array([[0.1], [0.4], [0.7], [9.0]]))
        eps = float(distances[0, 1])
        self.assertAllEqual(clusters.dbscan(distances, eps, 2), [0, 0, 0, -1])

    def test_hdbscan_is_scikit_learns_of_all_distances(self):
        for seed in range(5):
            generator = np.random.default_rng(seed)
            centers = generator.uniform(0, 8, (6, 2))
            points = centers[generator.integers(0, 6, 90)]
            distances = _between(points + generator.standard_normal((90, 2)) * 0.5)
            whole = sklearn.cluster.HDBSCAN(
                min_cluster_size=5, min_samples=2, metric="precomputed", copy=True
            )
            expected = whole.fit(distances.astype(np.float64)).labels_
            found = clusters.hdbscan(distances, 2, 5)
            self.assertAllEqual(found < 0, expected < 0)
            self.assertEqual(sklearn.metrics.adjusted_rand_score(expected, found), 1.0)

    def test_hdbscan_of_copies(self):
        points = np.repeat(np.array([[0.0, 0], [5, 5], [20, 0]]), 8, axis=0)
        found = clusters.hdbscan(_between(points), 3, 5)
        self.assertAllEqual(found, np.repeat([0, 1, 2], 8))

    def test_the_largest_is_the_first(self):
        self.assertAllEqual(
            clusters.by_size(np.array([3, 3, -1, 0, 3, 0, 1])), [0, 0, -1, 1, 0, 1, 2]
        )

    def test_agreement(self):
        distances, names = _planted(np.random.default_rng(0), noise=0)
        whole = cluster_agreement.agreement(names, names, distances)
        self.assertAllClose([whole.ari, whole.nmi, whole.nearest], [1, 1, 1])
        one = cluster_agreement.agreement(names, np.zeros(len(names), int), distances)
        self.assertAllClose([one.ari, one.nmi, one.completeness], [0, 0, 1])
        self.assertAllEqual(
            cluster_agreement.nearest_others(_between(np.array([[0.0], [1.0], [3.0]]))), [1, 0, 1]
        )

    def test_a_plane_keeps_plane_distances(self):
        generator = np.random.default_rng(0)
        for count in (2, 5, 60):
            points = generator.standard_normal((count, 2)) * (5, 2)
            found = multidimensional_scaling.plane(_between(points))
            self.assertAllClose(found.share, 1.0, rtol=1e-3)
            self.assertAllClose(_between(found.places), _between(points), atol=2e-2)
        self.assertEqual(multidimensional_scaling.plane(np.zeros((9, 9))).share, 0)

    def test_histograms_of_colours(self):
        half = np.zeros((4, 6, 3), np.float32)
        half[:, 3:] = 255
        found = color_histograms.roots(half)
        self.assertAllClose(found[[0, -1]], [np.sqrt(0.5)] * 2)
        self.assertAllClose(np.sum(found**2), 1.0)

    def test_settings_that_do_not_fit_are_refused(self):
        for settings, pictures, words in (
            (Clustering(eps=1.0), 20, "eps=1: is dbscan's"),
            (Clustering("dbscan", eps=-1.0), 20, "above 0"),
            (Clustering("dbscan", eps=float("nan")), 20, "above 0"),
            (Clustering("kmeans"), 20, "method=kmeans: expected hdbscan, dbscan"),
            (Clustering(scaling="log"), 20, "scaling=log: expected"),
            (Clustering(min_samples=1), 20, "2 or more"),
            (Clustering(), 5, "min_cluster_size=5: expected more pictures"),
            (Clustering("dbscan"), 3, "min_samples=3: expected more pictures"),
        ):
            with self.assertRaisesRegex(InputError, words):
                settings.check(pictures)
        Clustering("dbscan").check(4)


if __name__ == "__main__":
    tf.test.main()

"""What clusters of styles look like: a sheet, a map, the curve that eps is read off, a page."""

import dataclasses
import pathlib
from collections.abc import Sequence

import numpy as np

from tfvis.experiments import picture_tasks
from tfvis.report import html_page, picture_map, plots, run_page, sheets
from tfvis.style import clusters
from tfvis.style.multidimensional_scaling import Plane

# Clusters on a sheet or page, pictures of each, letters of a name below one.
_CLUSTERS, _OF_EACH, _LETTERS = 24, 8, 20
# Pictures on the map: of more, nothing would be seen.
_ON_MAP = 400
_EMPTY = np.full((1, 1, 3), (250, 250, 248), np.uint8)


@dataclasses.dataclass(frozen=True, eq=False)
class Clustered:
    """Pictures and the clusters they are in.

    Attributes:
        names: of the pictures, relative to their folder.
        thumbnails: uint8 [pictures, side, side, 3].
        labels: int [pictures], -1 of an outlier.
        medoids: int [clusters].
        to_medoid: float [pictures], distance to the own cluster's medoid; of an outlier to the
            nearest one, nan where there is none.
    """

    names: tuple[str, ...]
    thumbnails: np.ndarray
    labels: np.ndarray
    medoids: np.ndarray
    to_medoid: np.ndarray

    def members(self, cluster: int) -> np.ndarray:
        """Returns int [members], the nearest to the medoid first, which is the first."""
        found = np.flatnonzero(self.labels == cluster)
        if cluster < 0:
            return found
        others = found[found != self.medoids[cluster]]
        order = others[np.argsort(self.to_medoid[others], kind="stable")]
        return np.concatenate([self.medoids[cluster : cluster + 1], order])

    def heading(self, cluster: int) -> str:
        """Returns how a cluster is called, and how large it is."""
        count = int(np.sum(self.labels == cluster))
        return f"{f'cluster {cluster}' if cluster >= 0 else 'outliers'}: {count}"


def sheet(found: Clustered) -> np.ndarray:
    """Returns uint8 [height, width, 3]: a row for each large cluster, its medoid first."""
    cells = []
    for cluster in _shown(found):
        members = found.members(cluster)[:_OF_EACH]
        for place, number in enumerate(members):
            title = found.heading(cluster) if place == 0 else ""
            name = picture_tasks.short(found.names[number], _LETTERS)
            cells.append(sheets.Cell(found.thumbnails[number], title or " ", name))
        cells += [sheets.Cell(_EMPTY)] * (_OF_EACH - len(members))
    return np.asarray(sheets.sheet(cells, _OF_EACH, "A cluster a row, its medoid first"))


def _shown(found: Clustered) -> list[int]:
    """Returns the largest clusters, and the outliers where there are any."""
    several = list(range(min(len(found.medoids), _CLUSTERS)))
    return several + ([clusters.OUTLIER] if (found.labels < 0).any() else [])


def mapped(found: Clustered, plane: Plane) -> np.ndarray:
    """Returns uint8 [height, width, 3]: pictures at their places, medoids above the others."""
    count = len(found.names)
    some = np.linspace(0, count - 1, min(count, _ON_MAP)).astype(int)
    chosen = [*(k for k in some if k not in set(found.medoids)), *found.medoids]
    return picture_map.picture_map(
        plane.places[chosen], [found.thumbnails[k] for k in chosen], found.labels[chosen]
    )


def curve(k_distances: np.ndarray, eps: float, min_samples: int) -> np.ndarray:
    """Returns the plot of the sorted k-distances, and eps."""
    rising = np.sort(k_distances)
    # A marker for each of thousands would hide the curve.
    chosen = np.unique(np.linspace(0, len(rising) - 1, min(len(rising), 200)).astype(int))
    series = {
        f"distance of neighbour {min_samples - 1}": (
            [float(k + 1) for k in chosen], [float(rising[k]) for k in chosen]
        ),
        f"eps {eps:.3g}": ([1.0, float(len(rising))], [eps, eps]),
    }  # fmt: skip
    return plots.lines(series, "pictures in this order", "style distance")


def page(
    workdir: pathlib.Path,
    found: Clustered,
    about: Sequence[str],
    plane: Plane,
    compared: Sequence[Sequence] = (),
) -> html_page.Page:
    """Returns what index.html says.

    Args:
        workdir: of the run, in which medoids/, styles.csv and the plots lie.
        found: the clusters.
        about: what was found, in words.
        plane: of the map.
        compared: rows of the table against folders, the first its columns; none without folders.
    """
    medoids = [_medoid(workdir, found, k) for k in range(min(len(found.medoids), _CLUSTERS))]
    every = [
        (found.heading(k), found.names[m], round(float(_spread(found, k)), 4))
        for k, m in enumerate(found.medoids)
    ]
    table = html_page.Table(
        ("cluster: pictures", "medoid", "mean distance to it"), every, "styles.csv",
        len(found.names),
    )  # fmt: skip
    text = "Of each cluster the picture whose distances to its others sum to the least."
    sections = [html_page.Section("Common styles", text, tuple(medoids), table)]
    text = (
        "Distances on the map are as near to those of the styles as a plane allows (classical "
        f"multidimensional scaling); it shows {plane.share:.0%} of their squares. Frames have the "
        "colours of the clusters, grey those of outliers."
    )
    figure = run_page.linked(workdir, "map.png", title="map", wide=True)
    sections.append(html_page.Section("Map", text, (figure,)))
    for cluster in _shown(found):
        members = found.members(cluster)
        text = f"The {min(len(members), _OF_EACH)} nearest to the medoid, which is the first."
        if cluster < 0:
            named = ", ".join(found.names[k] for k in members[:100])
            text = f"In no cluster: {named}{', ...' if len(members) > 100 else ''}."
        figures = tuple(
            html_page.Figure(found.thumbnails[k], found.names[k], _apart(found, k))
            for k in members[:_OF_EACH]
        )
        sections.append(html_page.Section(found.heading(cluster), text, figures))
    if compared:
        text = (
            "ARI: 1 is the same parts, 0 what chance gives. NMI: what both share, 0 to 1 (the "
            "V-measure: the harmonic mean of homogeneity, clusters of one folder only, and "
            "completeness, folders in one cluster). Outliers count as one more cluster. Nearest: "
            "how many pictures' nearest other is of the same folder."
        )
        table = html_page.Table(compared[0], compared[1:], "agreement.csv", len(compared) - 1)
        sections.append(html_page.Section("Against the folders", text, (), table))
    text = "Where the curve bends, pictures that have neighbours end and outliers begin."
    figure = run_page.linked(workdir, "k_distances.png", title="k-distances", wide=True)
    sections.append(html_page.Section("Distances of neighbours", text, (figure,)))
    return html_page.Page("Styles of a collection", sections, about)


def _medoid(workdir: pathlib.Path, found: Clustered, cluster: int) -> html_page.Linked:
    file = f"medoids/{medoid_file(cluster)}"
    name = found.names[found.medoids[cluster]]
    return run_page.linked(workdir, file, title=found.heading(cluster), note=name)


def medoid_file(cluster: int) -> str:
    """Returns the name of a cluster's style picture."""
    return f"cluster_{cluster:03}.png"


def _spread(found: Clustered, cluster: int) -> float:
    """Returns the mean distance of the other members to the medoid."""
    members = found.members(cluster)[1:]
    return float(found.to_medoid[members].mean()) if len(members) else 0.0


def _apart(found: Clustered, number: int) -> str:
    distance = found.to_medoid[number]
    if number in found.medoids:
        return "the medoid"
    nearest = "nearest " if found.labels[number] < 0 else ""
    return "" if np.isnan(distance) else f"{distance:.3g} from the {nearest}medoid"

"""Style from plain arrays: a picture in the style of others, a texture, what layers hold."""

import dataclasses
import functools
import typing
from collections.abc import Callable, Sequence

import numpy as np

from tfvis import image_arguments, images, results
from tfvis.errors import InputError, arg
from tfvis.networks.network import Network
from tfvis.networks.padding import padded
from tfvis.optimize.progress import Progress
from tfvis.style import arguments, metrics, transfer
from tfvis.style.transfer import Scene, Transfer

# Of a texture that goes around, both sides are multiples of VGG's deepest stride, or its
# poolings would leave a rest out.
STRIDE = 32
# Gatys et al. 2015 found theirs from noise; 200 evaluations tell the layers apart.
_RECONSTRUCTION = Transfer(recipe="gatys", init="noise", evaluations=200)
# Roughness is part of a texture.
_TEXTURE = Transfer(content_layers=(), init="noise", tv_weight=0.0)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class StyleResult(results.Result):
    """Pictures with the statistics of others; see `results.Result`.

    Attributes:
        measure: () -> what `measures` returns.
    """

    measure: Callable[[], dict[str, float]]

    @functools.cached_property
    def measures(self) -> dict[str, float]:
        """How much of content and style is in the first picture, see `metrics.measure`.

        "style" is the distance of Gram matrices in the unit of Gatys et al., "content LAYER" that
        of features, both at 256 px. Worked out when first asked for.
        """
        return self.measure()

    def numbers(self) -> str:
        """Returns the energy at the end in words."""
        return f"energy {results.mean_words(self.history['energy'][-1], '.3g')}"


def stylize(
    network: Network,
    content: np.ndarray | Scene,
    style: np.ndarray | Sequence[np.ndarray] | None = None,
    *,
    style_weights: Sequence[float] = (),
    seeds: int | tuple[int, ...] = (0,),
    settings: Transfer = Transfer(),
    callback: Callable[[Progress], object] | None = None,
    **constants,
) -> StyleResult:
    """Finds a picture with the content of one image and the style of others.

    Args:
        network: with average poolings (`tfvis.build("vgg16", pooling="avg")`) as in Gatys et
            al. 2016, or as it comes.
        content: [height, width, 3], 0..255, whose size the result has; or a `Scene`, which has
            regions as well, and its styles.
        style: [height, width, 3], 0..255, of any size: strokes become as large as they are there;
            or several, which are blended.
        style_weights: of each in a blend; empty for equal ones.
        seeds: of the noise, if it starts there: one picture each.
        settings: constants; None among them are the recipe's. Of another network than VGG, layers
            of like depths stand for the usual ones.
        callback: is called with every `Progress`, each ten evaluations.
        **constants: of `Transfer`, in place of those of `settings`, such as ratio=200.

    Returns:
        One picture per seed.

    Raises:
        InputError: an argument is wrong; see `transfer.iterate`.
        loop.DivergedError: no finite energy, twice.
    """
    if isinstance(content, Scene):
        if style is not None or style_weights:
            raise InputError(
                f"{arg('style')}: a Scene has its own styles and weights; leave it out."
            )
        scene = content
    else:
        if style is None:
            raise InputError(f"{arg('style')}: expected a picture, or several. Received: None")
        scene = Scene(
            image_arguments.picture(content, network.channels, "content"),
            _styles(style, network.channels),
            _weights(style_weights, style),
        )
    settings = _settings(network, settings, constants, Transfer())
    return _found(network, scene, seeds, settings, callback, "stylized by")


def texture(
    network: Network,
    style: np.ndarray | Sequence[np.ndarray],
    *,
    size: int | tuple[int, int] | None = None,
    tileable: bool = False,
    style_weights: Sequence[float] = (),
    seeds: int | tuple[int, ...] = (0,),
    settings: Transfer = _TEXTURE,
    callback: Callable[[Progress], object] | None = None,
    **constants,
) -> StyleResult:
    """Finds, from noise, a picture with the statistics of another (Gatys et al., NIPS 2015).

    Args:
        network: see `stylize`.
        style: [height, width, 3], 0..255; or several, which are blended.
        size: (height, width) of the texture, or the side of a square; None is the style's.
        tileable: make it go around, so that copies side by side show no seam; both sides are
            multiples of 32 then.
        style_weights, seeds, settings, callback, **constants: see `stylize`.

    Returns:
        One texture per seed.

    Raises:
        InputError: an argument is wrong; see `transfer.iterate`.
        loop.DivergedError: no finite energy, twice.
    """
    styles = _styles(style, network.channels)
    shape = _size(styles[0].shape[:2] if size is None else size, tileable)
    if tileable:
        network = padded(network, "circular")
    scene = Scene(None, styles, _weights(style_weights, style), shape=shape)
    settings = _settings(network, settings, constants, _TEXTURE)
    if settings.content_layers:
        raise InputError(f"{arg('content_layers')}: a texture has no content; leave them out.")
    return _found(network, scene, seeds, settings, callback, "texture by")


def reconstruct(
    network: Network,
    image: np.ndarray,
    *,
    content_layers: Sequence[str] = (),
    style_layers: Sequence[str] = (),
    seeds: int | tuple[int, ...] = (0,),
    settings: Transfer = _RECONSTRUCTION,
    callback: Callable[[Progress], object] | None = None,
    **constants,
) -> StyleResult:
    """Finds, from noise, what layers hold of a picture's content, or of its style.

    The first figure of Gatys et al. (2015): images whose features at `content_layers`, or
    whose Gram matrices at `style_layers`, are those of the picture.

    Args:
        network: see `stylize`.
        image: [height, width, 3], 0..255.
        content_layers: paths whose features are matched; or
        style_layers: paths whose Gram matrices are.
        seeds, settings, callback, **constants: see `stylize`.

    Returns:
        One picture per seed.

    Raises:
        InputError: an argument is wrong; see `transfer.iterate`.
        loop.DivergedError: no finite energy, twice.
    """
    target = image_arguments.picture(image, network.channels)
    content_layers, style_layers = (
        (names,) if isinstance(names, str) else tuple(names)
        for names in (content_layers, style_layers)
    )
    if bool(content_layers) == bool(style_layers):
        raise InputError("content_layers, style_layers: expected layers of one of the two.")
    content, styles = (target, ()) if content_layers else (None, (target,))
    scene = Scene(content, styles, shape=target.shape[:2])
    chosen = {"content_layers": content_layers, "style_layers": style_layers}
    settings = _settings(network, settings, constants | chosen, _RECONSTRUCTION)
    return _found(network, scene, seeds, settings, callback, "reconstructed by")


def _found(network, scene, seeds, settings, callback, words) -> StyleResult:
    seeds = results.checked_seeds(seeds)
    runs = transfer.iterate(network, scene, seeds=seeds, settings=settings)
    found = results.collected(runs, f"{words} {network.name}", callback)
    return StyleResult(
        **found,
        settings=settings,
        measure=functools.partial(_measure, network, scene, settings, found["images"][0]),
    )


def _measure(network, scene: Scene, settings: Transfer, result: np.ndarray) -> dict[str, float]:
    """Returns the measures of the picture in 8 bits, those the app's manifest has."""
    usual = metrics.layers_for(network)
    layers = dataclasses.replace(
        usual,
        content=settings.content_layers or usual.content,
        style=settings.style_layers or usual.style,
    )
    return metrics.measure(
        network,
        images.with_channels(images.quantize(result).astype(np.float32), 3),
        None if scene.content is None else images.with_channels(scene.content, 3),
        [images.with_channels(style, 3) for style in scene.styles] or None,
        style_weights=scene.weights,
        layers=layers,
    )


def _settings(network: Network, settings: Transfer, constants: dict, usual: Transfer) -> Transfer:
    """Returns the settings; where nothing is said of layers, those of like depths."""
    if settings == usual:
        published = metrics.layers_for(network)
        for name, layers in (
            ("content_layers", published.content),
            ("style_layers", published.style),
        ):
            if getattr(usual, name):
                chosen: dict[str, typing.Any] = {name: tuple(layers)}
                settings = dataclasses.replace(settings, **chosen)
    settings = transfer.resolved(results.with_constants(settings, constants))
    names: dict[str, typing.Any] = {}
    for name in ("content_layers", "style_layers"):
        layers = getattr(settings, name)
        layers = (layers,) if isinstance(layers, str) else layers
        names[name] = arguments.maps(network, layers, name)
    return dataclasses.replace(settings, **names)


def _styles(style, channels: int) -> tuple[np.ndarray, ...]:
    several = isinstance(style, list | tuple) and all(np.ndim(one) == 3 for one in style)
    styles = style if several else [style]
    if not styles:
        raise InputError(f"{arg('style')}: expected a picture, or several. Received none.")
    found = tuple(image_arguments.picture(one, channels, "style") for one in styles)
    return tuple(arguments.not_flat(one, arg("style")) for one in found)


def _weights(weights: Sequence[float], style) -> tuple[float, ...]:
    return arguments.weights(weights, len(style) if isinstance(style, list | tuple) else 1)


def _size(size, tileable: bool) -> tuple[int, int]:
    height, width = image_arguments.sides(size, 32, "sides of at least 32 px, (height, width)")
    if tileable and (height % STRIDE or width % STRIDE):
        near = tuple(max(round(side / STRIDE), 1) * STRIDE for side in (height, width))
        raise InputError(
            f"{arg('size')}={height, width}: what goes around has sides that are multiples of "
            f"{STRIDE}, such as {near}."
        )
    return height, width

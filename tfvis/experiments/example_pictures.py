"""The two pictures that come along, as files."""


def own_pictures(workdir):
    """Returns paths of the demo photograph and of the project's painting, as files.

    Args:
        workdir: where they are put.
    """
    from tfvis import images
    from tfvis.style import painting

    written = []
    for name, pixels in (("photograph", images.demo()), ("painting", painting.shipped())):
        written.append(workdir / "pictures" / f"{name}.png")
        images.save_png(written[-1], pixels)
    return written

"""Where the wheel has what a checkout keeps at its top: apps and checkpoints, under tfvis."""

import setuptools

apps = setuptools.find_packages(include=["apps", "apps.*"])
setuptools.setup(
    packages=[
        *setuptools.find_packages(include=["tfvis", "tfvis.*"]),
        *(f"tfvis.{name}" for name in apps),
        "tfvis.checkpoints",
    ],
    package_dir={"tfvis.apps": "apps", "tfvis.checkpoints": "checkpoints"},
)

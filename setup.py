"""The packages: all below src/, and two folders of data that lie at the root of the checkout."""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages("src"),
        "ochp_chs.wsdl",
        "ochp_chs.wsdl.types",
        "ochp_chs.migrations",
        "ochp_chs.migrations.versions",
    ]
)

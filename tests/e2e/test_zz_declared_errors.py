"""The last of all: has every error that an operation declares been provoked by some test?

The clients of all tests note what they are answered. So this looks at whole runs alone, and comes
after those parts of them that other processes ran.
"""

import os
import pathlib

import pytest

import model
from harness import SEEN

# Declared, and not to be provoked here: why.
NEVER = {
    ("GetHostedZoneCount", "InvalidInput"): "there is no input",
    ("DeleteHostedZone", "InvalidDomainName"): "there is no name in it",
    ("ListTagsForResource", "PriorRequestNotComplete"): "who reads waits for nobody",
    ("ListTagsForResources", "PriorRequestNotComplete"): "who reads waits for nobody",
    ("GetHealthCheck", "IncompatibleVersion"): "no health check is of a kind that came later",
    ("ListHealthChecks", "IncompatibleVersion"): "no health check is of a kind that came later",
    ("UpdateHostedZoneFeatures", "LimitsExceeded"): "any number of zones may have the feature",
}


@pytest.mark.alone
def test_every_declared_error_was_provoked(route53):
    if "MERIDIAN_TEST_SEEN" in os.environ:
        SEEN.add_kept(os.environ["MERIDIAN_TEST_SEEN"])
    here = {path.name for path in pathlib.Path(__file__).parent.glob("test_*.py")}
    if not here <= SEEN.files:
        pytest.skip("not a run of all end-to-end tests")
    missing = []
    for operation in (name for name, there in model.documented().items() if there):
        declared = route53.meta.service_model.operation_model(operation).error_shapes
        for code in (shape.name for shape in declared):
            never = (operation, code) in NEVER or code in NEVER
            if code not in SEEN.errors.get(operation, ()) and not never:
                missing.append(f"{operation}: {code}")
    assert not missing, "\n".join(missing)

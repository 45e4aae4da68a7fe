"""The places that geolocation records may name: GetGeoLocation, ListGeoLocations, and record sets."""

import pytest

from harness import Key, Zone, create, delete, refusal

FIRST = {"CountryCode": "*", "CountryName": "Default"}
LAST = {"ContinentCode": "SA", "ContinentName": "South America"}
CRIMEA = {
    "CountryCode": "UA",
    "CountryName": "Ukraine",
    "SubdivisionCode": "11",
    "SubdivisionName": "Crimea",
}


def pages(client, **start):
    """The pages of a list, each started where the one before says."""
    while True:
        page = client.list_geo_locations(**start)
        yield page
        assert page["IsTruncated"] == any(key.startswith("Next") for key in page)
        if not page["IsTruncated"]:
            return
        codes = ("ContinentCode", "CountryCode", "SubdivisionCode")
        following = {f"Start{code}": page[f"Next{code}"] for code in codes if f"Next{code}" in page}
        start = {key: value for key, value in start.items() if key == "MaxItems"} | following


def places(client, **start):
    return [each for page in pages(client, **start) for each in page["GeoLocationDetailsList"]]


def code_of(place):
    country = place.get("CountryCode")
    return (country is None, country or place["ContinentCode"], place.get("SubdivisionCode", ""))


def test_the_list_has_countries_their_parts_and_continents(route53):
    whole = route53.list_geo_locations(MaxItems="500")
    listed = whole["GeoLocationDetailsList"]
    assert not whole["IsTruncated"] and whole["MaxItems"] == "500"
    assert listed[0] == FIRST and listed[-1] == LAST
    assert listed == sorted(listed, key=code_of)
    assert len(listed) == 332
    parts = [place["CountryCode"] for place in listed if "SubdivisionCode" in place]
    assert parts == ["UA"] * 27 + ["US"] * 51
    names = {place["CountryCode"]: place["CountryName"] for place in listed if "CountryCode" in place}
    assert (names["DE"], names["AX"], names["XK"]) == ("Germany", "Åland", "Kosovo")
    assert not {"BV", "CX", "EH", "HM"} & set(names)
    assert CRIMEA in listed
    # Whatever the size of a page, nothing is left out or repeated.
    for start in ({}, {"MaxItems": "1000"}, {"MaxItems": "7"}):
        assert places(route53, **start) == listed
    first = route53.list_geo_locations()
    assert len(first["GeoLocationDetailsList"]) == 100 and first["MaxItems"] == "100"


def test_a_list_starts_at_codes_which_need_not_exist(route53):
    first = lambda **start: next(pages(route53, MaxItems="1", **start))["GeoLocationDetailsList"][0]
    assert first(StartCountryCode="UA", StartSubdivisionCode="11") == CRIMEA
    assert first(StartCountryCode="UA", StartSubdivisionCode="10") == CRIMEA
    assert first(StartCountryCode="BV")["CountryCode"] == "BW"
    assert first(StartCountryCode="*") == FIRST
    assert first(StartCountryCode="ZZ")["ContinentCode"] == "AF"
    assert first(StartContinentCode="OC")["ContinentName"] == "Oceania"
    assert places(route53, StartContinentCode="SA") == [LAST]
    assert places(route53, StartContinentCode="ZZ") == []
    for wrong in (
        {"StartSubdivisionCode": "CA"},
        {"StartContinentCode": "EU", "StartCountryCode": "DE"},
        {"StartContinentCode": "EU", "StartSubdivisionCode": "CA"},
        {"MaxItems": "0"},
    ):
        assert refusal(lambda: route53.list_geo_locations(**wrong))[0] == "InvalidInput"


def test_a_place_is_got_by_its_codes(route53):
    get = lambda **codes: route53.get_geo_location(**codes)["GeoLocationDetails"]
    assert get(ContinentCode="SA") == LAST
    assert get(CountryCode="*") == FIRST
    assert get(CountryCode="DE") == {"CountryCode": "DE", "CountryName": "Germany"}
    assert get(CountryCode="UA", SubdivisionCode="11") == CRIMEA
    for unknown in (
        {"ContinentCode": "XX"},
        {"CountryCode": "BV"},
        {"CountryCode": "de"},
        {"CountryCode": "US", "SubdivisionCode": "PR"},
        {"CountryCode": "DE", "SubdivisionCode": "BY"},
        {"CountryCode": "*", "SubdivisionCode": "CA"},
    ):
        assert refusal(lambda: get(**unknown)) == (
            "NoSuchGeoLocation",
            "Route 53 doesn't support the specified geographic location.",
        )
    for wrong in (
        {},
        {"SubdivisionCode": "CA"},
        {"ContinentCode": "EU", "CountryCode": "DE"},
        {"ContinentCode": "NA", "SubdivisionCode": "CA"},
    ):
        assert refusal(lambda: get(**wrong))[0] == "InvalidInput"


def test_no_right_is_asked_for(meridian):
    account = meridian.new_account("geo").account
    key = meridian.new_user(account, "nobody")
    client = meridian.client(key)
    assert client.get_geo_location(ContinentCode="SA")["GeoLocationDetails"] == LAST
    assert client.list_geo_locations()["IsTruncated"]
    assert refusal(lambda: client.list_hosted_zones())[0] == "AccessDenied"
    stranger = meridian.client(Key("AKIA0000000000000000", key.secret))
    assert refusal(lambda: stranger.list_geo_locations())[0] == "InvalidClientTokenId"


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ({"ContinentCode": "XX"}, "Unknown ContinentCode"),
        ({"ContinentCode": "EU", "CountryCode": "DE"}, "ContinentCode cannot be combined"),
        ({"CountryCode": "BV"}, "CountryCode is not supported"),
        ({"CountryCode": "de"}, "CountryCode is not supported"),
        ({"CountryCode": "US", "SubdivisionCode": "PR"}, "SubdivisionCode is not supported"),
        ({"CountryCode": "*", "SubdivisionCode": "CA"}, "the default location"),
        ({"SubdivisionCode": "CA"}, "SubdivisionCode needs a CountryCode"),
    ],
)
def test_record_sets_name_places_of_the_list(zone, place, text):
    set_ = create(f"a.{zone.name}", "A", "192.0.2.1", SetIdentifier="x", GeoLocation=place)
    code, said = zone.refused(set_)
    assert code == "InvalidInput" and text in said


def test_every_place_can_be_in_a_record_set(route53):
    zone = Zone(route53, "every-place.example.")
    codes = ("ContinentCode", "CountryCode", "SubdivisionCode")
    listed = route53.list_geo_locations(MaxItems="500")["GeoLocationDetailsList"]
    named = [{code: place[code] for code in codes if code in place} for place in listed]
    # No more than 100 of one name.
    sets = [
        {"SetIdentifier": str(n), "GeoLocation": place, "name": f"n{n // 100}.{zone.name}"}
        for n, place in enumerate(named)
    ]
    zone.change(*(create(set_.pop("name"), "A", "192.0.2.1", **set_) for set_ in map(dict, sets)))
    found = {set_["SetIdentifier"]: set_["GeoLocation"] for set_ in zone.sets(own=True)}
    assert found == {set_["SetIdentifier"]: set_["GeoLocation"] for set_ in sets}
    zone.change(*(delete(set_.pop("name"), "A", "192.0.2.1", **set_) for set_ in map(dict, sets)))

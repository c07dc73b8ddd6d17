"""Where the party lives against where the owner does: columns and joins that persons and firms share.

The SQL of ``domain.linkage.places`` and of the debtor's address, over a seeker ``s`` and an owner ``p``.
"""

from __future__ import annotations

from leadflow_assets.domain.linkage import weights as w

LOCATION = f"""
    s.town_id = p.town_id OR s.town_id = p.bill_town_id AS same_town,
    s.zip = p.zip AS same_zip,
    CASE WHEN same_town OR same_zip THEN '{w.EQUAL}'
        WHEN s.elsewhere OR s.town_id IS NOT NULL OR (s.zip IS NOT NULL AND p.zip IS NOT NULL)
            THEN '{w.OTHER}'
        WHEN len(s.counties) = 0 THEN '{w.MISSING}'
        WHEN list_contains(s.counties, p.county) OR list_contains(s.counties, p.bill_county)
            THEN '{w.EQUAL}'
        ELSE '{w.OTHER}' END AS place,
    CASE WHEN same_town AND same_zip THEN least(s.town_share, s.zip_share)
        WHEN same_town THEN s.town_share WHEN same_zip THEN s.zip_share
        ELSE s.counties_share END AS place_share,
    CASE WHEN s.within_place THEN 0 ELSE place_bits(place, place_share) END AS place_weight,
    CASE WHEN ka.key IS NOT NULL OR km.key IS NOT NULL THEN '{w.EQUAL}'
        WHEN s.has_address THEN '{w.OTHER}' ELSE '{w.MISSING}' END AS house,
    address_bits(house, coalesce(ka.owners_there, km.owners_there)) AS house_weight
"""
ADDRESS_JOINS = """
    LEFT JOIN seeker_key ka ON ka.seeker = s.seeker AND ka.key = p.address
    LEFT JOIN seeker_key km ON km.seeker = s.seeker AND km.key = p.mailing
"""
# Where the place is the population, owners elsewhere are not in it.
NOT_OUTSIDE = f"NOT (s.within_place AND place = '{w.OTHER}')"

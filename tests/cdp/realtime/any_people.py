"""What hypothesis draws records of: few values, so that people share them, and some say the same."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.cdp.stewardship.desk import ANA, BIA, MAYBE_ANA

# The first is a household's: as its members come, it becomes shared, and then generic.
EMAILS = ("casa@example.com", "ana@example.com", "bia@example.com")

_GIVEN = ("Ana", "Bia", "Caio", "Davi", "Eva", "Fabio")
_DATES = ("1980-02-29", "1981-01-01", "1980-02-28")
_CPFS = ("390.533.447-05", "529.982.247-25")
_names = st.builds("{} {}".format, st.sampled_from(_GIVEN), st.sampled_from(("Reis", "Prado")))
_anybody = st.fixed_dictionaries(
    {},
    optional={
        "full_name": _names,
        "emails": st.lists(
            st.sampled_from(EMAILS),
            min_size=1,
            max_size=2,
            unique=True,
        ),
        "birth_date": st.sampled_from(_DATES),
        "address": st.fixed_dictionaries({"city": st.sampled_from(("Lisboa", "Porto"))}),
        "documents": st.sampled_from(_CPFS).map(lambda number: [{"type": "cpf", "number": number}]),
    },
)
_household = st.builds(
    lambda name, more: {"full_name": name, "emails": ["casa@example.com"], **more},
    _names,
    st.sampled_from([{}, {"birth_date": _DATES[0]}]),
)
PEOPLE = st.one_of(st.sampled_from([ANA, BIA, MAYBE_ANA]), _household, _anybody)

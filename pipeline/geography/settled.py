"""Facts about UK areas that the source files leave out or contradict, settled here once, each with its reason.

``build_register`` reads these beside the files of ``facts/README.md``; nothing else does.
"""

from __future__ import annotations

# Counties abolished on 1 April 2009 and the districts that lay in them (GSS codes run in the order
# of the counties' names, so a county's districts are one run of codes). The source files begin later.
COUNTIES_UNTIL_2009: dict[str, tuple[str, range]] = {
    "E10000001": ("Bedfordshire", range(1, 4)),
    "E10000004": ("Cheshire", range(13, 19)),
    "E10000005": ("Cornwall and Isles of Scilly", range(19, 26)),
    "E10000010": ("Durham", range(54, 61)),
    "E10000022": ("Northumberland", range(157, 163)),
    "E10000026": ("Shropshire", range(182, 187)),
    "E10000033": ("Wiltshire", range(230, 234)),
}

METROPOLITAN_COUNTIES: dict[str, tuple[str, tuple[int, ...]]] = {
    "E11000001": ("Greater Manchester (Met County)", tuple(range(1, 11))),
    "E11000002": ("Merseyside (Met County)", tuple(range(11, 16))),
    "E11000003": ("South Yorkshire (Met County)", (16, 17, 18, 19, 38, 39)),
    "E11000005": ("West Midlands (Met County)", tuple(range(25, 32))),
    "E11000006": ("West Yorkshire (Met County)", tuple(range(32, 37))),
    "E11000007": ("Tyne and Wear (Met County)", (20, 21, 22, 23, 24, 37)),
}

# Name, first and last day, and the instrument that established it. The first day is the one on which the establishing
# article came into force, as legislation.gov.uk gives it. The register of authorities gives 2014-04-01 for Greater
# Manchester, Tees Valley, Cambridgeshire and Peterborough, and West of England alike, which their own Orders contradict.
# York and North Yorkshire began its work on 2024-02-01, six weeks after its Order; the four of 2025 came into being on
# one day, which The Local Audit (Modification of Financial Reporting Requirements) Regulations 2025 repeat.
COMBINED_AUTHORITIES: dict[str, tuple[str, str, str, str]] = {
    "E47000001": ("Greater Manchester", "2011-04-01", "", "SI 2011/908"),
    "E47000002": ("South Yorkshire", "2014-04-01", "", "SI 2014/863"),
    "E47000003": ("West Yorkshire", "2014-04-01", "", "SI 2014/864"),
    "E47000004": ("Liverpool City Region", "2014-04-01", "", "SI 2014/865"),
    "E47000005": ("North East", "2014-04-15", "2018-11-01", "SI 2014/1012"),
    "E47000006": ("Tees Valley", "2016-04-01", "", "SI 2016/449"),
    "E47000007": ("West Midlands", "2016-06-17", "", "SI 2016/653"),
    "E47000008": ("Cambridgeshire and Peterborough", "2017-03-03", "", "SI 2017/251"),
    "E47000009": ("West of England", "2017-02-09", "", "SI 2017/126"),
    "E47000010": ("North East", "2018-11-02", "2024-05-06", "SI 2014/1012 as changed by SI 2018/1133"),
    "E47000011": ("North of Tyne", "2018-11-02", "2024-05-06", "SI 2018/1133"),
    "E47000012": ("York and North Yorkshire", "2023-12-20", "", "SI 2023/1432"),
    "E47000013": ("East Midlands", "2024-02-28", "", "SI 2024/232"),
    "E47000014": ("North East", "2024-05-07", "", "SI 2024/402"),
    "E47000015": ("Devon and Torbay", "2025-02-05", "", "SI 2025/115"),
    "E47000016": ("Hull and East Yorkshire", "2025-02-05", "", "SI 2025/113"),
    "E47000017": ("Greater Lincolnshire", "2025-02-05", "", "SI 2025/117"),
    "E47000018": ("Lancashire", "2025-02-05", "", "SI 2025/118"),
}
SOUTH_OF_TYNE = ("E06000047", "E08000023", "E08000024", "E08000037")
NORTH_OF_TYNE = ("E06000057", "E08000021", "E08000022")

# Codes of other geographies, or of abolished counties, that name exactly the ground of an area held here.
SAME_AREA: dict[str, tuple[str, str]] = {
    **{
        code: (same, "ITL 2025 level 1: the same area as the region or nation")
        for code, same in (
            ("TLB", "E92000001"),
            ("TLC", "E12000001"),
            ("TLD", "E12000002"),
            ("TLE", "E12000003"),
            ("TLF", "E12000004"),
            ("TLG", "E12000005"),
            ("TLH", "E12000006"),
            ("TLI", "E12000007"),
            ("TLJ", "E12000008"),
            ("TLK", "E12000009"),
            ("TLL", "W92000004"),
            ("TLM", "S92000003"),
            ("TLN", "N92000002"),
        )
    },
    "E10000002": ("E06000060", "the county became one unitary authority in 2020"),
    "E10000010": ("E06000047", "the county became one unitary authority in 2009"),
    "E10000022": ("E06000048", "the county became one unitary authority in 2009"),
    "E10000023": ("E06000065", "the county became one unitary authority in 2023"),
    "E10000026": ("E06000051", "the county became one unitary authority in 2009"),
    "E10000027": ("E06000066", "the county became one unitary authority in 2023"),
    "E10000033": ("E06000054", "the county became one unitary authority in 2009"),
    "E47000005": (
        "E47000014",
        "the same seven districts, 2014 to 2018 and again from 2024",
    ),
}

# Changes the lists of changes lack, all of them of a moved edge: Scotland before 2018 (the codes of 2009 to 2011 are in
# the register of authorities, those before them only in statistics.gov.scot's tables), Tyne and Wear's code after
# Gateshead's.
_ANGUS_AND_DUNDEE = "The Angus Council Area and Dundee City Council Area (Fithiebank) Boundaries Amendment Order 2009"
_GLASGOW_AND_NORTH_LANARKSHIRE_2010 = "Glasgow City and North Lanarkshire boundary at Cardowan by Stepps, 2010"
_GLASGOW_AND_EAST_DUNBARTONSHIRE = (
    "The East Dunbartonshire Council Area and Glasgow City Council Area "
    "(Princes Gate and Greenacres by Robroyston) Boundaries Alteration Order 2010"
)
EXTRA_BOUNDARY_CHANGES: tuple[tuple[str, str, str, str], ...] = (
    ("S12000003", "S12000041", "2010-04-01", _ANGUS_AND_DUNDEE),
    ("S12000007", "S12000042", "2010-04-01", _ANGUS_AND_DUNDEE),
    ("S12000037", "S12000043", "2010-04-01", _GLASGOW_AND_NORTH_LANARKSHIRE_2010),
    ("S12000022", "S12000044", "2010-04-01", _GLASGOW_AND_NORTH_LANARKSHIRE_2010),
    ("S12000009", "S12000045", "2011-04-01", _GLASGOW_AND_EAST_DUNBARTONSHIRE),
    ("S12000043", "S12000046", "2011-04-01", _GLASGOW_AND_EAST_DUNBARTONSHIRE),
    ("E11000004", "E11000007", "2013-04-01", "The Gateshead and Northumberland (Boundary Change) Order 2013"),
)
EXTRA_NAMES = {
    "S12000003": "Angus",
    "S12000007": "Dundee City",
    "S12000022": "North Lanarkshire",
    "S12000037": "Glasgow City",
    "S12000009": "East Dunbartonshire",
    "S12000043": "Glasgow City",
    "E11000004": "Tyne and Wear (Met County)",
}

# The code moved with the edge of the area, not only in the list; every other one-to-one change is a relabel.
BOUNDARY_CHANGES = frozenset(
    {
        "E07000100",
        "E07000104",
        "E06000048",
        "E07000097",
        "E07000101",
        "E08000020",
        "E08000016",
        "E08000019",
    }
    | {"S12000015", "S12000024", "S12000044", "S12000046", "W06000007", "W06000017"}
)
_FIFE_AND_PERTH = (
    "The Fife Council Area and Perth and Kinross Council Area "
    "(Keltybridge and Fife Environmental Energy Park at Westfield) Boundaries Amendment Order 2017"
)
_GLASGOW_AND_NORTH_LANARKSHIRE = (
    "The Glasgow City Council Area and North Lanarkshire Council Area "
    "(Cardowan by Stepps) Boundaries Amendment Order 2018"
)
_BARNSLEY_AND_SHEFFIELD = "The Barnsley and Sheffield (Boundary Change) Order 2024"
# Of changes that the list of changes gives by year only: the first day of the new code, and the Order.
DAYS_AND_ORDERS: dict[str, tuple[str, str]] = {
    "S12000015": ("2018-02-02", _FIFE_AND_PERTH),
    "S12000024": ("2018-02-02", _FIFE_AND_PERTH),
    "S12000044": ("2019-04-01", _GLASGOW_AND_NORTH_LANARKSHIRE),
    "S12000046": ("2019-04-01", _GLASGOW_AND_NORTH_LANARKSHIRE),
    "E08000016": ("2025-04-01", _BARNSLEY_AND_SHEFFIELD),
    "E08000019": ("2025-04-01", _BARNSLEY_AND_SHEFFIELD),
    "E47000010": ("2024-05-07", "The North East Mayoral Combined Authority (Establishment and Functions) Order 2024"),
    "E47000011": ("2024-05-07", "The North East Mayoral Combined Authority (Establishment and Functions) Order 2024"),
}

# The 26 districts of Northern Ireland until 31 March 2015, under the codes that begin those of their super
# output areas (no N09 code was ever given to them).
NORTHERN_IRELAND_UNTIL_2015 = dict(
    zip(
        (f"95{letter}{letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        (
            "Antrim",
            "Ards",
            "Armagh",
            "Ballymena",
            "Ballymoney",
            "Banbridge",
            "Belfast",
            "Carrickfergus",
            "Castlereagh",
            "Coleraine",
            "Cookstown",
            "Craigavon",
            "Derry",
            "Down",
            "Dungannon",
            "Fermanagh",
            "Larne",
            "Limavady",
            "Lisburn",
            "Magherafelt",
            "Moyle",
            "Newry and Mourne",
            "Newtownabbey",
            "North Down",
            "Omagh",
            "Strabane",
        ),
        strict=True,
    )
)

# Names in use beside the official one. "former" names were official once.
OTHER_NAMES: tuple[tuple[str, str, str], ...] = (
    ("E07000112", "Shepway", "former"),
    ("W06000014", "The Vale of Glamorgan", "former"),
    ("W06000016", "Rhondda Cynon Taff", "former"),
    ("S12000013", "Eilean Siar", "former"),
    ("S12000013", "Western Isles", "alternative"),
    ("S12000036", "Edinburgh, City of", "former"),
    ("S12000036", "Edinburgh", "alternative"),
    ("S12000049", "Glasgow", "alternative"),
    ("S12000042", "Dundee", "alternative"),
    ("S12000033", "Aberdeen", "alternative"),
    ("S12000023", "Orkney", "alternative"),
    ("S12000027", "Shetland", "alternative"),
    ("N09000002", "Armagh, Banbridge and Craigavon", "former"),
    ("N09000005", "Derry and Strabane", "former"),
    ("N09000011", "North Down and Ards", "former"),
    ("E06000010", "Hull", "alternative"),
    ("E06000010", "Kingston upon Hull", "alternative"),
    ("E06000023", "Bristol", "alternative"),
    ("E06000019", "Herefordshire", "alternative"),
    ("E06000047", "Durham", "alternative"),
    ("E06000058", "BCP", "alternative"),
    ("E08000021", "Newcastle", "alternative"),
    ("E07000146", "Kings Lynn and West Norfolk", "alternative"),
    ("E09000033", "City of Westminster", "alternative"),
    ("E47000002", "Sheffield City Region", "former"),
    ("E47000014", "North East Combined Authority", "alternative"),
    ("E12000007", "Greater London", "alternative"),
    ("E12000006", "East", "alternative"),
    ("E12000006", "Eastern", "former"),
    ("K02000001", "UK", "alternative"),
    ("K03000001", "GB", "alternative"),
    ("E07000016", "Ellesmere Port and Neston", "alternative"),
    ("95OO", "Dungannon and South Tyrone", "alternative"),
    ("95MM", "Londonderry", "alternative"),
)

COUNTRIES = {
    "K02000001": "United Kingdom",
    "K03000001": "Great Britain",
    "K04000001": "England and Wales",
}
NATIONS = {
    "E92000001": "England",
    "N92000002": "Northern Ireland",
    "S92000003": "Scotland",
    "W92000004": "Wales",
}

# The register of authorities puts Forest Heath in Surrey; it lay in Suffolk, as its successor does.
COUNTY_CORRECTIONS = {"E07000201": "E10000029"}

REGISTER_BEGINS = "2009-01-01"

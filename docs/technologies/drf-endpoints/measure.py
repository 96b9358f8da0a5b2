"""What each guard leaves open, what looking skills up costs, and what a serializer costs."""

from board.api.serializers import JobSummarySerializer
from board.models import Job, Skill
from test_drf_endpoints import GUARDS, ManyRelated, OneLookup, as_json, reached, stranger

MEASURES = [
    "docs/technologies/drf-endpoints/test_drf_endpoints.py::Applications",
    "docs/technologies/drf-endpoints/test_drf_endpoints.py::IsMine",
    "docs/technologies/drf-endpoints/test_drf_endpoints.py::ScopedQueryset",
    "docs/technologies/drf-endpoints/test_drf_endpoints.py::Guarded",
    "docs/technologies/drf-endpoints/test_drf_endpoints.py::reached",
    "docs/technologies/drf-endpoints/test_drf_endpoints.py::forge",
    "docs/technologies/drf-endpoints/test_drf_endpoints.py::ManyRelated",
    "docs/technologies/drf-endpoints/test_drf_endpoints.py::as_json",
    "examples/jobboard/board/api/serializers.py::SkillsByName",
    "examples/jobboard/board/api/serializers.py::JobSummarySerializer",
]
GIVEN = {"64 KiB": "the job board's limit for a body"}
REACHED = "What a stranger reaches of 160 applications by 40 people"
LOOKUPS = "Check a body that names skills"
SHOWN = "200 jobs with company and skills, as JSON shows them"


def checked(serializer_class, names):
    """Check a body with these skills."""
    serializer = serializer_class(data={"skills": names})
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


def measure(lab):
    with lab.dataset("S"):
        user = stranger()
        for name, view in GUARDS.items():
            lab.say(name)
            with lab.undone():
                lab.record(REACHED, name, counts=reached(view, None if name == "out of the box" else user))
        names = list(Skill.objects.values_list("name", flat=True))
        bodies = {"1 skill": names[:1], "50 skills": names, "SQL 1,000 times": ["SQL"] * 1000}
        fields = {"many=True": ManyRelated, "one lookup": OneLookup}
        lab.compare(
            LOOKUPS,
            {
                f"{field}, {what}": lambda of=of, body=body: checked(of, body)
                for what, body in bodies.items()
                for field, of in fields.items()
            },
        )
        jobs = Job.objects.for_display()
        lab.compare(
            SHOWN,
            {
                "by hand": lambda: as_json(jobs.all()),
                "serializer": lambda: JobSummarySerializer(jobs.all(), many=True).data,
            },
            runs=15,
        )
    lab.picture(REACHED, "listed", "forged")

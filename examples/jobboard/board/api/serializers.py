"""What the endpoints take and give. Fields are listed, never "all"."""

from rest_framework import serializers

from accounts.serializers import StrictSerializer
from board.models import Application, Company, Job, Skill


class RelatedByName(serializers.SlugRelatedField):
    """Looks a row up by a name, if it is a text that PostgreSQL can hold.

    REST framework's own field asks the database for anything, and a NUL
    character in it is a server error.
    """

    def to_internal_value(self, data):
        name = serializers.CharField(max_length=120).run_validation(data)
        return super().to_internal_value(name)


class SkillsByName(serializers.ListField):
    """Looks all names up in one query, where a related field sends many.

    `run_validation` has checked the length when it asks the database.
    """

    child = serializers.CharField(max_length=60)

    def run_validation(self, data=serializers.empty):
        names = super().run_validation(data)
        found = {row.name: row for row in Skill.objects.filter(name__in=names)}
        unknown = [n for n, name in enumerate(names) if name not in found]
        if unknown:
            message = ["There is no such skill."]
            raise serializers.ValidationError(dict.fromkeys(unknown, message))
        return list(found.values())


class SkillSerializer(serializers.ModelSerializer):
    class Meta:
        model = Skill
        fields = ("name",)


class CompanySerializer(serializers.ModelSerializer):
    class Meta:
        model = Company
        fields = ("name", "slug")


class CompanyWithJobsSerializer(serializers.ModelSerializer):
    open_jobs = serializers.IntegerField(read_only=True)

    class Meta:
        model = Company
        fields = ("name", "slug", "open_jobs")


class JobSummarySerializer(serializers.ModelSerializer):
    """A job in a list."""

    company = CompanySerializer(read_only=True)
    skills = serializers.SlugRelatedField("name", many=True, read_only=True)

    class Meta:
        model = Job
        fields = (
            "id",
            "title",
            "company",
            "skills",
            "salary_min",
            "salary_max",
            "is_open",
            "created_at",
        )


class JobSerializer(JobSummarySerializer):
    """A job on its own."""

    class Meta(JobSummarySerializer.Meta):
        fields = (*JobSummarySerializer.Meta.fields, "description")


class JobWriteSerializer(StrictSerializer, serializers.ModelSerializer):
    """What the company's staff may say about a job."""

    company = RelatedByName("slug", queryset=Company.objects.all())
    skills = SkillsByName(max_length=20, required=False)

    class Meta:
        model = Job
        fields = (
            "company",
            "title",
            "description",
            "salary_min",
            "salary_max",
            "is_open",
            "skills",
        )
        # The database decides about the open title, without a race: 409.
        validators = ()

    def validate(self, data):
        """Compare the salaries as they will be, sent or stored."""
        lowest = data.get(
            "salary_min", getattr(self.instance, "salary_min", None)
        )
        highest = data.get(
            "salary_max", getattr(self.instance, "salary_max", None)
        )
        if lowest is not None and highest is not None and lowest > highest:
            raise serializers.ValidationError(
                {"salary_max": "This is below salary_min."}
            )
        return data


class JobUpdateSerializer(JobWriteSerializer):
    """A job does not move to another company."""

    class Meta(JobWriteSerializer.Meta):
        fields = JobWriteSerializer.Meta.fields[1:]

    company = None


class ApplicationSerializer(serializers.ModelSerializer):
    job = JobSummarySerializer(read_only=True)
    applicant = serializers.EmailField(source="user.email", read_only=True)

    class Meta:
        model = Application
        fields = (
            "id",
            "job",
            "applicant",
            "status",
            "cover_note",
            "created_at",
        )


class ApplySerializer(StrictSerializer):
    job = serializers.IntegerField(min_value=1)
    cover_note = serializers.CharField(
        max_length=4000, allow_blank=True, default=""
    )


class DecisionSerializer(StrictSerializer):
    status = serializers.ChoiceField(
        [
            Application.Status.REVIEWED,
            Application.Status.OFFERED,
            Application.Status.REJECTED,
        ]
    )


class TopSkillSerializer(serializers.Serializer):
    name = serializers.CharField()
    open_jobs = serializers.IntegerField()


class StatisticsSerializer(serializers.Serializer):
    open_jobs = serializers.IntegerField()
    hiring_companies = serializers.IntegerField()
    top_skills = TopSkillSerializer(many=True)

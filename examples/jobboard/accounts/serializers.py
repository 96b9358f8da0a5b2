"""What the account endpoints take and give."""

from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import serializers

from accounts.models import Profile, User


class StrictSerializer(serializers.Serializer):
    """Refuses unknown fields, which REST framework would silently ignore."""

    def to_internal_value(self, data):
        if isinstance(data, dict):
            unknown = sorted(set(data) - set(self.fields))
            if unknown:
                raise serializers.ValidationError(
                    dict.fromkeys(unknown, "This field is not known.")
                )
        return super().to_internal_value(data)


class CredentialsSerializer(StrictSerializer):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(
        max_length=256, write_only=True, trim_whitespace=False
    )


class SignUpSerializer(CredentialsSerializer):
    first_name = serializers.CharField(max_length=150, default="")
    last_name = serializers.CharField(max_length=150, default="")

    def validate(self, data):
        """Check the password against the rules and against the other fields."""
        others = {
            name: value for name, value in data.items() if name != "password"
        }
        try:
            password_validation.validate_password(
                data["password"], User(**others)
            )
        except DjangoValidationError as error:
            raise serializers.ValidationError(
                {"password": error.messages}
            ) from None
        return data


class RefreshSerializer(StrictSerializer):
    refresh = serializers.CharField(max_length=2000)


class TokenPairSerializer(serializers.Serializer):
    access = serializers.CharField()
    refresh = serializers.CharField()


class ProfileSerializer(StrictSerializer, serializers.ModelSerializer):
    email = serializers.EmailField(source="user.email", read_only=True)
    first_name = serializers.CharField(source="user.first_name", read_only=True)
    last_name = serializers.CharField(source="user.last_name", read_only=True)

    class Meta:
        model = Profile
        fields = ("email", "first_name", "last_name", "headline", "about")


class SessionSerializer(serializers.Serializer):
    email = serializers.EmailField(allow_null=True)

"""The account endpoints: sign up, sign in by token or by session, profile."""

from django.contrib.auth import authenticate, login, logout
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect, ensure_csrf_cookie
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.generics import RetrieveUpdateAPIView
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import TokenError

from accounts import services, tokens
from accounts.models import Profile
from accounts.serializers import (
    CredentialsSerializer,
    ProfileSerializer,
    RefreshSerializer,
    SessionSerializer,
    SignUpSerializer,
    TokenPairSerializer,
)
from accounts.throttling import AccountThrottle, SignInThrottle, SignUpThrottle


def validated(serializer_class, request):
    """Return the checked body of a request. Raises ValidationError."""
    serializer = serializer_class(data=request.data)
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


def user_for(request):
    """Return the user whose credentials the body holds, or raise a 401."""
    user = authenticate(
        request._request, **validated(CredentialsSerializer, request)
    )
    if user is None:
        # One message for both cases, and the same work: nobody learns here
        # which addresses have an account.
        raise AuthenticationFailed("Wrong e-mail address or password.")
    return user


class SignUpView(APIView):
    permission_classes = (AllowAny,)
    throttle_classes = (SignUpThrottle,)

    @extend_schema(request=SignUpSerializer, responses={201: SessionSerializer})
    def post(self, request):
        """Create an account. A taken address is a 409, limited per client."""
        user = services.sign_up(**validated(SignUpSerializer, request))
        return Response({"email": user.email}, status=201)


class TokenView(APIView):
    """For clients that are not a browser: a browser should use the session.

    A token that JavaScript can read is a token that injected JavaScript can
    send away; the session cookie is out of its reach.
    """

    permission_classes = (AllowAny,)
    throttle_classes = (SignInThrottle, AccountThrottle)

    # Wrong credentials are a 401, and a 401 must name a way to sign in.
    authentication_classes = (JWTAuthentication,)

    @extend_schema(request=CredentialsSerializer, responses=TokenPairSerializer)
    def post(self, request):
        """Exchange credentials for an access and a refresh token."""
        return Response(tokens.issue(user_for(request)))


class TokenRefreshView(TokenView):
    throttle_classes = (SignInThrottle,)

    @extend_schema(request=RefreshSerializer, responses=TokenPairSerializer)
    def post(self, request):
        """Exchange a refresh token for a new pair; each works once."""
        try:
            pair = tokens.rotate(
                validated(RefreshSerializer, request)["refresh"]
            )
        except TokenError as error:
            raise AuthenticationFailed(str(error)) from error
        return Response(pair)


class TokenRevokeView(TokenView):
    throttle_classes = (SignInThrottle,)

    @extend_schema(request=RefreshSerializer, responses={204: None})
    def post(self, request):
        """Sign out: use up a refresh token."""
        try:
            tokens.revoke(validated(RefreshSerializer, request)["refresh"])
        except TokenError as error:
            raise AuthenticationFailed(str(error)) from error
        return Response(status=204)


@method_decorator(ensure_csrf_cookie, name="get")
# REST framework checks CSRF for signed-in users only; a sign-in needs it too,
# or another site could sign a visitor in to the attacker's account.
@method_decorator(csrf_protect, name="dispatch")
class SessionView(APIView):
    permission_classes = (AllowAny,)

    def get_throttles(self):
        if self.request.method == "POST":
            return [SignInThrottle(), AccountThrottle()]
        return super().get_throttles()

    @extend_schema(responses=SessionSerializer)
    def get(self, request):
        """Say who is signed in, and set the cookie for the CSRF check."""
        return Response({"email": getattr(request.user, "email", None)})

    @extend_schema(request=CredentialsSerializer, responses=SessionSerializer)
    def post(self, request):
        """Sign in with a session cookie."""
        user = user_for(request)
        login(request._request, user)
        return Response({"email": user.email})

    @extend_schema(responses={204: None})
    def delete(self, request):
        """Sign out."""
        logout(request._request)
        return Response(status=204)


class MyProfileView(RetrieveUpdateAPIView):
    """The profile of whoever asks; there is no address for anybody else's."""

    serializer_class = ProfileSerializer
    http_method_names = ("get", "patch", "head", "options")

    def get_object(self):
        profiles = Profile.objects.select_related("user")
        return profiles.get_or_create(user=self.request.user)[0]

"""Signs users up and in over raw REST. Without an x-application-id header it uses the default application, which
signs RS256. Every answer carries access_token, expires_in, refresh_token and user."""

import httpx


class SallyportError(Exception):
    """A refusal by Sallyport. `code` is stable and meant for programs, the text is meant for people."""

    def __init__(self, status, error):
        super().__init__(f"{status} {error['code']}: {error['message']} (request {error['request_id']})")
        self.code = error["code"]


class SallyportClient:
    def __init__(self, url, application_id=None):
        headers = {"x-application-id": application_id} if application_id else {}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=10)

    def register(self, email, password):
        return self._post("/v1/auth/register", {"email": email, "password": password})

    def login(self, email, password):
        return self._post("/v1/auth/login", {"email": email, "password": password})

    def refresh(self, refresh_token):
        """Spends the refresh token. Replace it with the one in the answer."""
        return self._post("/v1/auth/refresh", {"refresh_token": refresh_token})

    def _post(self, path, body):
        # This client keeps tokens itself. The cookies in the answers are for browsers.
        self._http.cookies.clear()
        answer = self._http.post(path, json=body)
        if answer.is_error:
            raise SallyportError(answer.status_code, answer.json()["error"])
        return answer.json()

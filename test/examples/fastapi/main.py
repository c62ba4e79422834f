from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from auth import CurrentUser, Refused

app = FastAPI()


@app.get("/")
def index():
    return {"message": "Open to everybody."}


@app.get("/me")
def me(user: CurrentUser):
    return {"user": {"id": user["sub"], "email": user.get("email")}}


@app.exception_handler(Refused)
def refuse(_request: Request, refused: Refused):
    return JSONResponse({"error": refused.detail}, refused.status_code, refused.headers)

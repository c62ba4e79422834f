/** Returns a request in its wire form. */
export function get(host: string, path: string, token?: string): string {
  const authorization = token === undefined ? "" : `Authorization: Bearer ${token}\r\n`;
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${authorization}\r\n`;
}

export function form(host: string, path: string, basic: string, body: string): string {
  const head = `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/x-www-form-urlencoded\r\n`;
  return `${head}Authorization: Basic ${Buffer.from(basic).toString("base64")}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** Returns the request without the length and the body. */
export function postHead(host: string, path: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n`;
}

export function post(host: string, path: string, body: unknown, application?: string): string {
  const text = JSON.stringify(body);
  const meant = application === undefined ? "" : `X-Application-Id: ${application}\r\n`;
  return `${postHead(host, path)}${meant}Content-Length: ${text.length}\r\n\r\n${text}`;
}

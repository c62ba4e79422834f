/** Requests as they stand on the wire. */
export function get(host: string, path: string, token?: string): string {
  const authorization = token === undefined ? "" : `Authorization: Bearer ${token}\r\n`;
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${authorization}\r\n`;
}

/** All but the length and the body. */
export function postHead(host: string, path: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n`;
}

export function post(host: string, path: string, body: unknown): string {
  const text = JSON.stringify(body);
  return `${postHead(host, path)}Content-Length: ${text.length}\r\n\r\n${text}`;
}

/** The master key that `dev` made: beside its data, never inside, and only for this machine. */
export function devKeyFile(dataDirectory: string): string {
  return `${dataDirectory}.master-key`;
}

/** The file with the ids and the secret key that every start prints again. */
export function credentialsFile(dataDirectory: string): string {
  return `${dataDirectory}.credentials.json`;
}

/** The master key that `dev` made: beside its data and never inside, for this machine only. */
export function devKeyFile(dataDirectory: string): string {
  return `${dataDirectory}.master-key`;
}

/** The ids and the secret key that every start prints again. */
export function credentialsFile(dataDirectory: string): string {
  return `${dataDirectory}.credentials.json`;
}

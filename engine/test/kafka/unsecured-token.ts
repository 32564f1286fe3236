// A JSON web token without a signature, as Kafka's own validator for tests takes it.

export function unsecuredToken(user: string, seconds = 600): string {
  const now = Math.floor(Date.now() / 1_000);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ sub: user, iat: now, exp: now + seconds })}.`;
}

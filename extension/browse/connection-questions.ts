// The questions of the form of a connection, in their order. Which ones there are depends on the
// answers before. Nothing here needs VS Code.
import type { ConnectionAnswers, LoginAnswer, TlsAnswer } from './connection-answers.ts';
import type { SecretField } from './connection-settings.ts';

export interface TextQuestion {
  readonly kind: 'text';
  readonly field: keyof ConnectionAnswers;
  readonly prompt: string;
  readonly example?: string;
  readonly isSecret?: boolean;
  readonly isOptional?: boolean;
  /** A sentence, if the text cannot be used. */
  readonly check?: (text: string) => string | undefined;
}
export interface ChoiceQuestion {
  readonly kind: 'choice';
  readonly field: 'tls' | 'login';
  readonly prompt: string;
  readonly choices: readonly {
    readonly value: TlsAnswer | LoginAnswer;
    readonly label: string;
    readonly detail: string;
  }[];
}
export type Question = TextQuestion | ChoiceQuestion;

export interface FormState {
  /** Names that other connections have. */
  readonly taken: readonly string[];
  /** Secrets that are there already: an empty answer keeps them. */
  readonly present: readonly SecretField[];
}

export function questionsFor(answers: ConnectionAnswers, state: FormState): readonly Question[] {
  return [
    ...placeQuestions(state),
    ...tlsQuestions(answers, state),
    ...loginQuestions(answers, state),
    ...registryQuestions(answers, state),
  ];
}

function placeQuestions({ taken }: FormState): readonly Question[] {
  const example = 'broker-1.example.com:9093,broker-2.example.com:9093';
  return [
    {
      ...{ kind: 'text', field: 'name', prompt: 'Name of the connection, as cells use it', example: 'prod' },
      check: checkName(taken),
    },
    {
      ...{ kind: 'text', field: 'brokers', prompt: 'Brokers to ask first, separated by commas', example },
      check: checkBrokers,
    },
  ];
}

function tlsQuestions({ tls }: ConnectionAnswers, state: FormState): readonly Question[] {
  const file = (field: 'ca' | 'cert' | 'key', prompt: string, example: string): TextQuestion => ({
    ...{ kind: 'text', field, prompt: `${prompt} (PEM)`, example, check: checkPath },
    isOptional: field === 'ca' && tls === 'mutual',
  });
  const ca = file('ca', 'File of the certificate authority', '/etc/kafka/ca.pem');
  const own = [
    file('cert', 'File of your certificate', '/etc/kafka/client.pem'),
    file('key', 'File of your private key', '/etc/kafka/client.key'),
    keyPasswordQuestion(state),
  ];
  return [
    { kind: 'choice', field: 'tls', prompt: 'Is the connection encrypted?', choices: tlsChoices },
    ...(tls === 'own' ? [ca] : tls === 'mutual' ? [ca, ...own] : []),
  ];
}

function loginQuestions({ login }: ConnectionAnswers, state: FormState): readonly Question[] {
  const isClient = login === 'client';
  const first: Question = {
    ...{ kind: 'choice', field: 'login', prompt: 'How does Kafka know you?', choices: loginChoices },
  };
  if (login === 'none') return [first];
  if (login === 'command') {
    const prompt = 'Program that prints a token, with its arguments';
    const example = 'az account get-access-token --resource …';
    return [first, { kind: 'text', field: 'tokenCommand', prompt, example }];
  }
  const endpoint: Question = {
    ...{ kind: 'text', field: 'tokenEndpoint', prompt: 'Address that gives tokens', check: checkUrl },
    example: 'https://login.example.com/oauth2/token',
  };
  return [
    first,
    ...(isClient ? [endpoint] : []),
    { kind: 'text', field: 'username', prompt: isClient ? 'Client id' : 'User name' },
    secretQuestion(
      ...([
        'password',
        isClient ? 'Client secret' : 'Password',
        isClient ? 'sasl.clientSecret' : 'sasl.password',
      ] as const),
      state,
    ),
  ];
}

function registryQuestions({ registry, registryUser }: ConnectionAnswers, state: FormState): readonly Question[] {
  const address: Question = {
    ...{
      kind: 'text',
      field: 'registry',
      prompt: 'Schema registry. Leave it empty if there is none.',
      isOptional: true,
    },
    ...{ example: 'https://schemas.example.com', check: checkRegistry },
  };
  const prompt = 'User name at the schema registry. Leave it empty if it wants none.';
  const user: Question = { kind: 'text', field: 'registryUser', prompt, isOptional: true };
  const password = secretQuestion('registryPassword', 'Password at the schema registry', 'registry.password', state);
  if (registry === '') return [address];
  return registryUser === '' ? [address, user] : [address, user, password];
}

/** Most keys have none. */
function keyPasswordQuestion(state: FormState): TextQuestion {
  const question = secretQuestion('keyPassword', 'Password of your private key', 'tls.keyPassword', state);
  if (question.isOptional) return question;
  return { ...question, isOptional: true, prompt: `${question.prompt} Leave it empty if the key has none.` };
}
function secretQuestion(
  field: 'password' | 'registryPassword' | 'keyPassword',
  what: string,
  place: SecretField,
  { present }: FormState,
): TextQuestion {
  const isOptional = present.includes(place);
  const kept = isOptional ? ' Leave it empty to keep the present one.' : '';
  const prompt = `${what}. It goes into VS Code’s secret storage, not into the settings.${kept}`;
  return { kind: 'text', field, prompt, isSecret: true, isOptional };
}

const tlsChoices: ChoiceQuestion['choices'] = [
  {
    value: 'none',
    label: 'No encryption',
    detail: 'Records and passwords can be read on the way. For brokers on this machine.',
  },
  { value: 'system', label: 'TLS', detail: 'The broker’s certificate is from an authority that this machine trusts.' },
  {
    value: 'own',
    label: 'TLS with your own authority',
    detail: 'You have the certificate of the authority as a file.',
  },
  {
    value: 'mutual',
    label: 'TLS with a client certificate',
    detail: 'The broker knows you by a certificate and its key, both files.',
  },
];
const loginChoices: ChoiceQuestion['choices'] = [
  { value: 'none', label: 'No user name', detail: 'No log-in, or by a client certificate.' },
  {
    value: 'plain',
    label: 'User and password (SASL PLAIN)',
    detail: 'The broker gets the password itself. Use it with TLS only.',
  },
  {
    value: 'scram-sha-256',
    label: 'User and password (SCRAM-SHA-256)',
    detail: 'The password does not leave this machine.',
  },
  {
    value: 'scram-sha-512',
    label: 'User and password (SCRAM-SHA-512)',
    detail: 'The password does not leave this machine.',
  },
  {
    value: 'client',
    label: 'OAuth client credentials (OAUTHBEARER)',
    detail: 'A client id and a secret, for which an address gives tokens.',
  },
  {
    value: 'command',
    label: 'Token command (OAUTHBEARER)',
    detail: 'A program of yours prints a token: for Amazon MSK, Azure, and others.',
  },
];

const checkName =
  (taken: readonly string[]) =>
  (text: string): string | undefined => {
    if (!/^[A-Za-z0-9][\w.-]*$/.test(text))
      return 'Letters, digits, "-", "_" and ".", beginning with a letter or a digit.';
    return taken.includes(text) ? `There is a connection "${text}". Edit it, or give another name.` : undefined;
  };
function checkBrokers(text: string): string | undefined {
  const wrong = text.split(',').find((one) => !/^\s*([\p{L}\p{N}._-]+|\[[\da-f:.]+\]):\d{1,5}\s*$/iu.test(one));
  if (wrong === undefined) return undefined;
  return wrong.trim() === '' ? 'Give host:port of a broker.' : 'Each is host:port. User and password come later.';
}
function checkUrl(text: string): string | undefined {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    return 'An address that begins with https:// or http://.';
  return new URL(text).username === '' ? undefined : 'Leave user and password out of the address. They come later.';
}
function checkRegistry(text: string): string | undefined {
  return checkUrl(text) ?? (/[?#]/.test(text) ? 'Leave out all from the "?" or "#" on.' : undefined);
}
function checkPath(text: string): string | undefined {
  return /^(\/|~\/|[A-Za-z]:[\\/])/.test(text) ? undefined : 'The whole path of a file, such as /etc/kafka/ca.pem.';
}

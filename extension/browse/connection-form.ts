// The form of a connection: one question after the other at the top of the window, with a way back
// at each. It asks only for what the answers before make necessary.
import * as vscode from 'vscode';
import type { ConnectionAnswers } from './connection-answers.ts';
import { questionsFor, type ChoiceQuestion, type FormState, type TextQuestion } from './connection-questions.ts';

/** The answers; undefined: the user has left. */
export async function askForConnection(
  first: ConnectionAnswers,
  options: FormState & { readonly title: string },
): Promise<ConnectionAnswers | undefined> {
  const answers = { ...first };
  let at = 0;
  for (;;) {
    const questions = questionsFor(answers, options);
    const question = questions[at];
    if (!question) return answers;
    const step = { title: options.title, step: at + 1, total: questions.length, canGoBack: at > 0 };
    const answer =
      question.kind === 'text' ? await askText(question, answers, step) : await askChoice(question, answers, step);
    if (answer === undefined) return undefined;
    if (answer === 'back') at--;
    else at++;
  }
}

interface Step {
  readonly title: string;
  readonly step: number;
  readonly total: number;
  readonly canGoBack: boolean;
}
type Outcome = 'next' | 'back' | undefined;

function askText(question: TextQuestion, answers: ConnectionAnswers, step: Step): Promise<Outcome> {
  const { field, prompt, example, isSecret = false, isOptional = false, check } = question;
  const input = vscode.window.createInputBox();
  input.prompt = prompt;
  input.placeholder = example;
  input.password = isSecret;
  input.value = isSecret ? '' : (answers[field] ?? '');
  const problemOf = (text: string): string | undefined => {
    if (text === '') return isOptional ? undefined : 'It cannot be empty.';
    return check?.(text);
  };
  return shown(input, step, () => {
    // A password may begin or end with a space.
    const text = isSecret ? input.value : input.value.trim();
    const problem = problemOf(text);
    input.validationMessage = problem;
    if (problem !== undefined) return false;
    Object.assign(answers, { [field]: isSecret && text === '' ? answers[field] : text });
    return true;
  });
}
function askChoice(question: ChoiceQuestion, answers: ConnectionAnswers, step: Step): Promise<Outcome> {
  const input = vscode.window.createQuickPick<vscode.QuickPickItem & { value: string }>();
  input.placeholder = question.prompt;
  input.items = [...question.choices];
  input.activeItems = input.items.filter(({ value }) => value === answers[question.field]);
  return shown(input, step, () => {
    const [chosen] = input.selectedItems;
    if (!chosen) return false;
    Object.assign(answers, { [question.field]: chosen.value });
    return true;
  });
}

function shown(
  input: vscode.InputBox | vscode.QuickPick<vscode.QuickPickItem & { value: string }>,
  { title, step, total, canGoBack }: Step,
  accept: () => boolean,
): Promise<Outcome> {
  input.title = title;
  input.step = step;
  input.totalSteps = total;
  input.ignoreFocusOut = true;
  if (canGoBack) input.buttons = [vscode.QuickInputButtons.Back];
  return new Promise<Outcome>((resolve) => {
    input.onDidAccept(() => {
      if (accept()) resolve('next');
    });
    input.onDidTriggerButton(() => resolve('back'));
    input.onDidHide(() => resolve(undefined));
    input.show();
  }).finally(() => input.dispose());
}

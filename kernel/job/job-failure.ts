// What fails in a job: a stable code for programs, and a sentence for people.
export interface JobFailure {
  readonly code: string;
  readonly message: string;
}

// A style sheet is imported as text. The bundle contains it, so nothing is fetched.
declare module '*.css' {
  const text: string;
  export default text;
}

// A style sheet or page is imported as text: the bundle carries it, nothing is fetched.
declare module '*.css' {
  const text: string;
  export default text;
}

// Reports whether a node is visible: in sight, not collapsed, in a visible page.
// Leaving is reported after a delay, so that a node that is moved, or scrolled past and back,
// causes no report.
const graceMillis = 400;

export function watchVisibility(node: HTMLElement, changed: (visible: boolean) => void, signal: AbortSignal): void {
  let isInSight = false;
  let reported = false;
  let leaving: ReturnType<typeof setTimeout> | undefined;
  const settle = (): void => {
    const visible = isInSight && document.visibilityState === 'visible';
    clearTimeout(leaving);
    if (visible === reported) return;
    const report = (): void => {
      reported = visible;
      changed(visible);
    };
    if (visible) report();
    else leaving = setTimeout(report, graceMillis);
  };
  // The margin loads a node before it is scrolled into sight.
  const observer = new IntersectionObserver(
    (entries) => {
      isInSight = entries.at(-1)?.isIntersecting ?? false;
      settle();
    },
    { rootMargin: '300px' },
  );
  observer.observe(node);
  document.addEventListener('visibilitychange', settle, { signal });
  signal.addEventListener('abort', () => {
    observer.disconnect();
    clearTimeout(leaving);
  });
}

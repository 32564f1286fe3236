// Whether a node can be seen: scrolled into sight, not collapsed, in a page that is shown. Leaving counts only after a moment, so
// that a node which is moved, or scrolled past and back, says nothing.
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
  // a margin, so that what is scrolled to is there when it arrives
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

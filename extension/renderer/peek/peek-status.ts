// The sentence above a peek's table: what is shown, and why nothing more comes.
import type { PeekFrom, PeekNews } from '../../../kernel/protocol/browse.ts';
import { rate } from '../../../kernel/protocol/figures.ts';
import { count } from '../format.ts';

export interface PeekStatus {
  readonly text: string;
  readonly isProblem: boolean;
  /** What the button does: pause, continue, or nothing. */
  readonly action: 'pause' | 'continue' | undefined;
}

export function peekStatus(
  news: PeekNews | undefined,
  { from, filter, shown, dropped }: { from: PeekFrom; filter: string; shown: number; dropped: number },
): PeekStatus {
  if (!news) return { text: 'connecting', isProblem: false, action: undefined };
  const { state, read, matched, skipped, rate: perSecond, isAtEnd, format, trouble, filterTrouble } = news;
  const isFiltered = filter.trim() !== '';
  const isLive = from.kind === 'newest';
  const parts = [
    ...(format === undefined ? [] : [format]),
    isFiltered
      ? `${count(matched)} of ${count(read)} records match`
      : `${count(shown)} ${shown === 1 ? 'record' : 'records'}`,
    ...(dropped > 0 ? [`${count(dropped)} earlier ones left out`] : []),
    ...(skipped > 0 ? [`a sample: ${count(skipped)} more came too fast`] : []),
    ...(perSecond >= 1 && state === 'reading' ? [rate(perSecond)] : []),
    ...stateText(state, isAtEnd, isLive, read),
    ...(filterTrouble === undefined ? [] : [filterTrouble]),
    ...(trouble === undefined ? [] : [trouble]),
  ];
  return {
    text: parts.join(' · '),
    isProblem: trouble !== undefined || filterTrouble !== undefined,
    action: state === 'failed' ? undefined : state === 'reading' ? 'pause' : 'continue',
  };
}

function stateText(state: PeekNews['state'], isAtEnd: boolean, isLive: boolean, read: number): string[] {
  switch (state) {
    case 'failed':
      return [];
    case 'paused':
      return ['paused: continue to see more'];
    case 'full':
      return ['continue for the next 500'];
    case 'reading':
      if (!isAtEnd) return ['reading'];
      return [
        read === 0
          ? 'the topic has no records here yet; waiting for new ones'
          : isLive
            ? 'live'
            : 'at the end; waiting for new ones',
      ];
  }
}

// The messages between a peek's panel and the extension.
import type { PeekedRecord, PeekFrom, PeekNews } from '../../../kernel/protocol/browse.ts';

export interface PeekChoice {
  readonly from: PeekFrom;
  readonly filter: string;
}
export type ToPeekPanel =
  | { readonly kind: 'about'; readonly topic: string; readonly connection: string; readonly partitions: number }
  /** The rows start anew. */
  | { readonly kind: 'opening' }
  | { readonly kind: 'news'; readonly news: PeekNews }
  | { readonly kind: 'failed'; readonly reason: string }
  /** null: the bytes of the row are not kept any more. */
  | { readonly kind: 'record'; readonly n: number; readonly record: PeekedRecord | null };
export type FromPeekPanel =
  | { readonly kind: 'ready' }
  | ({ readonly kind: 'open' } & PeekChoice)
  | { readonly kind: 'run'; readonly run: boolean }
  | { readonly kind: 'record'; readonly n: number }
  | { readonly kind: 'cell' };

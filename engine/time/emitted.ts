// What a watermark combiner sends on: a watermark in epoch milliseconds, or that its output has become idle or active.
export type Emitted = { readonly watermark: number } | 'idle' | 'active';

// The output of a watermark combiner: a watermark in epoch milliseconds, or that it has become idle
// or active.
export type Emitted = { readonly watermark: number } | 'idle' | 'active';

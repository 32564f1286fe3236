// pattern(): the contract's name for complex event processing, which is not there yet.
import { notYet } from '../error.ts';
import type * as S from './surface.ts';

export const pattern: typeof S.pattern = () => notYet('patterns');

// A parameter has the type of its default, and not only the default's value: it is compared with
// others.
import { param } from '../../index.ts';

const mode = param('mode', 'fast');
const limit = param('limit', 2);
const isDry = param('dry', false);
export const chosen: boolean = mode === 'slow' || limit === 3 || isDry === true;

const side = param<'left' | 'right'>('side', 'left');
export const isRight: boolean = side === 'right';
// @ts-expect-error It is one of two.
export const isTop: boolean = side === 'top';
// @ts-expect-error A default is a text, a number or a boolean.
param('list', []);

// The thread that evaluates constants when it runs from sources.
import { evaluatesConstants } from './constants-role.ts';

evaluatesConstants();

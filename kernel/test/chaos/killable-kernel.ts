// The kernel of the chaos: an ordinary kernel whose executor can be killed alone.
import './killable-executor.ts';
import '../../main.ts';

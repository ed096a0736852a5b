/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/vm/run.h"

_Thread_local struct vm_run *vm_current;

# SPDX-License-Identifier: Apache-2.0
# Somebody kills it while it sleeps.
cp /t/bin/probed victim
./victim 1000 || echo killed

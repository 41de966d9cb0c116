# SPDX-License-Identifier: MIT
# fish driver.fish FILES DIR: answers lines as lib.sh wants them, with what the
# files of the directory FILES complete in DIR.

for file in $argv[1]/*.fish
	source $file
end
cd $argv[2]
while read -l line
	# Of what follows "=", the whole word; of a directory, its slash.
	set -l offered (complete -C $line | string replace -r '\t.*' '' |
		string replace -r '^--[a-z0-9-]+=' '' | string trim -r -c /)
	set -q offered[1]
	or set offered ''
	printf "$line => %s\n" $offered
end

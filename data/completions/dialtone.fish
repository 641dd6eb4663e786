# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of dialtone(1) for fish.

set -l commands connect disconnect status monitor list show check renegotiate log diagnose policy secret
set -l with_profile connect disconnect status monitor show check renegotiate diagnose
set -l with_json connect status monitor list show check log diagnose policy secret

complete -c dialtone -f
complete -c dialtone -n "not __fish_seen_subcommand_from $commands" -a connect -d 'Connect with a profile'
complete -c dialtone -n "not __fish_seen_subcommand_from $commands" -a disconnect -d 'Take a tunnel down'
complete -c dialtone -n "not __fish_seen_subcommand_from $commands" -a status -d 'Show the tunnels that are up'
complete -c dialtone -n "not __fish_seen_subcommand_from $commands" -a monitor -d 'Show what becomes of connections'
complete -c dialtone -n "not __fish_seen_subcommand_from $commands" -a list -d 'List the profiles'
complete -c dialtone -n "not __fish_seen_subcommand_from $commands" -a show -d 'Show a profile'
complete -c dialtone -n "not __fish_seen_subcommand_from $commands" -a policy -d 'Show what the administrator forbids'
complete -c dialtone -n "not __fish_seen_subcommand_from $commands" -a check -d 'Say what is wrong with a profile'
complete -c dialtone -n "not __fish_seen_subcommand_from $commands" -a renegotiate -d 'Agree on new keys now'
complete -c dialtone -n "not __fish_seen_subcommand_from $commands" -a log -d 'Show what the service has decided'
complete -c dialtone -n "not __fish_seen_subcommand_from $commands" -a bug-report -d 'Collect what a helper needs'
complete -c dialtone -n "__fish_seen_subcommand_from bug-report" -l yes -d 'Do not ask'
complete -c dialtone -n "__fish_seen_subcommand_from bug-report" -l output -r -F -d 'Save as'
complete -c dialtone -n "not __fish_seen_subcommand_from $commands" -a diagnose -d 'Find out why not'
complete -c dialtone -n "not __fish_seen_subcommand_from $commands" -a secret -d 'Make, keep or forget a secret'
complete -c dialtone -n "__fish_seen_subcommand_from secret" -a 'generate set forget psk password certificate passphrase pin'
complete -c dialtone -n "__fish_seen_subcommand_from diagnose" -l write -d 'Change the profile'
complete -c dialtone -n "__fish_seen_subcommand_from $with_profile" -a '(dialtone list 2>/dev/null | cut -f1)'
complete -c dialtone -n "__fish_seen_subcommand_from $with_profile" -a '(__fish_complete_suffix .dialtone)'
complete -c dialtone -n "__fish_seen_subcommand_from $with_json" -l json -d 'Print JSON'
complete -c dialtone -n "__fish_seen_subcommand_from connect" -l standalone -d 'Without the service'
complete -c dialtone -n "__fish_seen_subcommand_from connect check" -l secrets -r -F -d 'Secrets file'
complete -c dialtone -n "__fish_seen_subcommand_from connect" -l ask-command -r -a '(__fish_complete_command)' -d 'Ask this program'
complete -c dialtone -n "__fish_seen_subcommand_from connect" -l ask-argument -x -d 'Its argument'
complete -c dialtone -n "__fish_seen_subcommand_from connect" -l wait -x -d 'Wait so many seconds'
complete -c dialtone -n "__fish_seen_subcommand_from connect" -l no-wait -d 'Do not wait'
complete -c dialtone -n "__fish_seen_subcommand_from connect" -l stay -d 'Stay until the connection ends'
complete -c dialtone -n "__fish_seen_subcommand_from connect" -l take-over -d 'Disconnect another user'
complete -c dialtone -n "__fish_seen_subcommand_from status" -l watch -d 'Go on'
complete -c dialtone -n "__fish_seen_subcommand_from log" -l lines -x -d 'So many'
complete -c dialtone -n "__fish_seen_subcommand_from disconnect" -l all -d 'Every tunnel'
complete -c dialtone -n "__fish_seen_subcommand_from disconnect" -l release-kill-switch -d 'Let go what is blocked'
complete -c dialtone -n "__fish_seen_subcommand_from show" -l all -d 'With defaults'
complete -c dialtone -l help -d 'Show help'

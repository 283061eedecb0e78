"""What tests are made with: agents, terminals, attackers, and ways to look at a guest."""

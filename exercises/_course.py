"""A course of five assignments: which exercises are in each, what they are worth, and what a person marks.

`genmath exercise start --course` writes it as folders. Each assignment is worth 100: 70 by program, 30 by hand.
"""

from genmath.cli.course import Assignment, Question

COURSE = [
    Assignment(
        name="assignment1_vae",
        title="Assignment 1: variational autoencoders",
        text="Derive the bound that a variational autoencoder maximises, and the term in it that every implementation writes out. Then train one in the plane and see what β does.",
        points={"vae/two_ways": 21, "vae/prior_kl": 10, "vae/beta": 15, "vae/mixture": 24},
        questions=(
            Question(
                10, "Show your curves and pictures for the three values of β. Which of the two terms falls first, and what does the decoder do while the other is still near zero?",
                "Three rows of pictures, like those of the solution. The reconstruction falls first; while the KL term is near zero all codes look alike to the decoder, which answers with the middle of the data.",
            ),
            Question(
                10, "What changes at β = 4, and what at β = 0.25: in the two terms, and in the picture of the codes?",
                "A large β makes codes cheap and vague: a small KL term, a bad reconstruction, clusters that share codes. A small β makes them dear and exact: a large KL term, a good reconstruction, codes that lie apart and do not fill the prior, so that the grid decodes to places without data.",
            ),
            Question(
                10, "The two roads to the bound drop gaps that look different. Why are they the same, and why does the bound not hold for β < 1?",
                "Both gaps are KL(q(z|x) ‖ p(z|x)), since p(x) does not depend on z. For β < 1 the objective is the bound plus (1 − β) KL(q ‖ prior), which may be more than the gap: take q the posterior.",
            ),
        ),
    ),
    Assignment(
        name="assignment2_gan",
        title="Assignment 2: GAN and WGAN",
        text="What the best discriminator is and what it is worth, how the two losses of a generator push, and why a critic sees at most what transport costs. Then train both on the same data.",
        points={"gan/optimal_discriminator": 20, "gan/losses": 15, "wasserstein/duality": 14, "wasserstein/gan_or_wgan": 21},
        questions=(
            Question(
                10, "Show your curves and the samples of both. Which model finds all clusters first, and does either lose one again?",
                "W2 over steps and both pictures, like those of the solution; the WGAN's W2 falls sooner. What was found and lost is read off the column of clusters, not off one picture.",
            ),
            Question(
                10, "Which of the two judges' losses tells how good the samples are, and why does the other one not?",
                "The critic's loss is minus a lower bound of W1 (plus the penalty), and goes to zero as the samples become the data. The discriminator's loss goes to log 4, or hovers there, whatever is missing from the samples: it compares densities that its network can tell apart, and its value depends on how well it was trained.",
            ),
            Question(
                10, "What happens to the WGAN if the weight of the penalty is 0, and what if it is 100? Try it.",
                "At 0 nothing bounds the slope: the critic's loss falls without end, it is no distance any more, and the generator gets gradients of any size. At 100 the penalty is nearly all of the loss: the slope is held close to one everywhere, also where a best critic bends. What that does to W2 is read off the two runs, which are shown.",
            ),
        ),
    ),
    Assignment(
        name="assignment3_diffusion",
        title="Assignment 3: denoising diffusion",
        text="Noise in one jump, the way back if the data were known, and why a sampler may skip steps. Then train a network to guess the noise and sample in few steps and in many.",
        points={"ddpm/recursion": 21, "ddpm/one_step_back": 14, "ddim/marginal": 8, "ddpm/plane": 27},
        questions=(
            Question(
                10, "Show your two curves. Why does the loss not go to zero, and what would it mean if it did?",
                "Both curves, like those of the solution. The noise in x_t is not a function of x_t: what is left is its conditional variance. Zero would mean that the noise, and so the data, can be read off x_t at every level.",
            ),
            Question(
                10, "Which of the two samplers is better with few steps, which with many, and why?",
                "Read off the own table, not off a paper: here DDIM is ahead at 2 steps only, DDPM from 5 on. DDIM follows one curve for each start, so it suffers less from steps that are much too long, but carries every error along; fresh noise lets DDPM forget the errors of the steps before. With many steps both are limited by what the network has learned, and by the 800 points.",
            ),
            Question(
                10, "Which times count most if the loss is weighted as the bound weights it? Why does the simple loss leave the weight out?",
                "The weight β/(2 (1 − β)(1 − ᾱ of the step before)) is largest at small times, where little noise is left. Those steps are about details that are hardly seen; without the weight the network learns the levels at which the shape of the data is decided.",
            ),
        ),
    ),
    Assignment(
        name="assignment4_flow_matching",
        title="Assignment 4: flow matching against diffusion, with FID and IS",
        text="Why flow matching may train on single lines, what its velocity is, and why FID is never zero. Then compare both models on the same data: in the plane by an exact distance, on digits by FID and inception score.",
        points={"flow_matching/same_minimiser": 14, "flow_matching/velocity": 14, "evaluation/means": 15, "flow_matching/against_ddpm": 18, "evaluation/ddpm_or_flow": 9},
        questions=(
            Question(
                10, "Show both tables and curves. From how many steps on does each model get hardly better?",
                "The table of W2 in the plane, that of FID and IS on digits, and both pictures. Flow matching is near its best after about 8 steps in the plane, DDPM after about 16; what is left is the network and the number of samples.",
            ),
            Question(
                10, "Why is the FID of the held-out digits not zero? What follows for small differences of FID?",
                "Two finite sets have different means and covariances though they come from one law; FID is too large by about the sum of the variances over the number of samples, and more from the covariances. Differences below that floor, or between different numbers of samples, mean nothing.",
            ),
            Question(
                10, "Do FID and inception score put the rows into the same order? Name something that neither shows.",
                "Not quite: in the table of the solution DDPM has a higher score with 4 steps than with 8, and a worse FID. The score looks at the classifier's answers alone and never at the data, so what it rewards need not look like them. Neither shows copies of training data; nor what the features of this small classifier do not see; nor the spread over training runs.",
            ),
        ),
    ),
    Assignment(
        name="assignment5_likelihood",
        title="Assignment 5: autoregressive models and flows",
        text="Two families whose likelihood is exact: one guesses coordinate after coordinate, the other maps data to noise and pays for stretching. Then write letters, and train flows of one to eight layers.",
        points={"autoregressive/teacher_forcing": 15, "normalizing_flow/layers": 16, "normalizing_flow/entropy": 9, "autoregressive/code": 10, "normalizing_flow/moons": 20},
        questions=(
            Question(
                10, "Show your curves. What does the gap between a model's curve and the entropy of the data mean, in words of a divergence?",
                "The curves of all models, like those of the solution. On average the loss is the entropy plus KL(data ‖ model), so the gap estimates the divergence, up to the chance of 4000 points.",
            ),
            Question(
                10, "Why does one coupling layer do worse than the model with normal factors, and why do more layers help?",
                "Both give the second coordinate a normal law whose mean and spread depend on the first. But the layer keeps the first as it is, so that its law is standard normal, while the factor learns its mean and spread. Over most of the line the moons have two heights, which no normal law has. Layers that take turns bend both coordinates, each by functions of what the one before made.",
            ),
            Question(
                10, "Letters: change CONTEXT to 2 and to 5. What do the losses on the half that was seen and on the one that was held out do, and which of the two is a guide?",
                "At 2 the loss on the seen half falls and the one held out rises: the model remembers. At 5 both rise: nearly every context was seen once or never, and the one count that is added to each of the 27 letters outweighs what was seen. Only the held-out half estimates the divergence from what is to come.",
            ),
        ),
    ),
]

# ---- the pages, in which {names} are filled in ---------------------------------------------------

PAGE = """\
# Five assignments on generative models{whose}

| assignment | points by program | points by hand |
|---|---|---|
{assignments}

{how}
"""

STUDENT = """\
Each folder says what is asked, what it is worth and what to hand in. The programs that mark it are yours too, so that nothing is a surprise:

```sh
cd assignment1_vae
genmath exercise check two_ways.py    # one file: what is missing, what is wrong, and by which slip
genmath exercise grade .              # the points of the folder
```

The files that train need PyTorch, matplotlib, scipy and, for digits, scikit-learn; the derivations need nothing but genmath (`genmath exercise grade . --proofs`)."""

TEACHER = """\
These are the solutions, the point scheme, and the rubric with what full marks ask for. What the students get is made by `genmath exercise start --course`.

Put what they hand in into one folder a student, with the folders of the assignments in it or the files alone:

```sh
genmath exercise grade class/* --csv points.csv
genmath exercise grade class/* --assignment assignment1_vae --nbgrader grades.csv
genmath exercise grade . --gradescope results.json    # in a student's folder
genmath exercise grade . --github results.json
```

The points by hand are not in these tables: add a column. Run the files here to make the numbers in `expected` again."""

ASSIGNMENT_PAGE = """\
# {title}

{text}

## What to do: {whole} points

| file | what | left out | points |
|---|---|---|---|
{tasks}
| report.pdf | the questions below | {questions} answers | {by_hand} |

Fill in what is left out, check a file by `genmath exercise check FILE.py`, and see your points by `genmath exercise grade .`. Hand in this folder, with the pictures and numbers that the files made, and your report.

## How points are given

In a file everything that is left out is worth the same. A function has its points if it gives the right numbers, for single numbers and for batches. A derivation has all of its points if every line of it is proved and nothing is missing; else each line or certificate that was left out, and is right, has half of its
share. A line is right if proved steps join it to the first line or to the last one. A derivation of something else, or from more hypotheses, has none.

## Expected curves

When its functions are right, run the file. It writes a picture and the numbers of its curves, in less than a minute of one core; those of the solution are in `expected`.

{curves}

Yours need not agree to the last digit: other machines round differently, and a GAN follows a rounding far.

## Rubric

| points | {columns} |
|---|{rule}|
{rubric}

All of the points: complete, right, and in your own words. Half: the right idea with a gap or a wrong step. None: no answer, or one that your own curves refute.
"""
